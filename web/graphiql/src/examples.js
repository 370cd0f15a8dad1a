// The tabs of a first visit. A test runs each of them.
import customers from '../examples/customers.graphql';
import dashboard from '../examples/dashboard.graphql';
import orders from '../examples/orders.graphql';
import login from '../examples/login.graphql';
import sync from '../examples/sync.graphql';
import loginVariables from '../examples/login.json';
import dashboardVariables from '../examples/dashboard.json';

const json = (value) => JSON.stringify(value, null, 2);

export const examples = [
  { query: login, variables: json(loginVariables) },
  { query: dashboard, variables: json(dashboardVariables) },
  { query: orders },
  { query: customers },
  { query: sync },
];
