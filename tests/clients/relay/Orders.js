// What relay-compiler reads. It is not run: caches.mjs takes the artifacts that are made from it.
import { graphql } from 'relay-runtime';

graphql`
  fragment Orders_order on Order {
    name
    totalPrice { amount currencyCode }
    customer { displayName }
  }
`;

graphql`
  query OrdersQuery($count: Int!, $cursor: String) {
    orders(first: $count, after: $cursor, sort: PROCESSED_AT_ASC) @connection(key: "Orders_orders") {
      edges { node { id ...Orders_order } }
    }
  }
`;

graphql`
  query OrdersNodeQuery($id: ID!) {
    node(id: $id) { ... on Customer { displayName orders(first: 2) { nodes { name } } } }
  }
`;
