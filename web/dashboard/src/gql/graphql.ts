/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A static Admin API access token. */
export type AccessTokenInput = {
  /** The app's secret, which signs its webhooks. Without it changes arrive by polling. */
  apiSecret?: string | null | undefined;
  /** The token: `shpat_…`. */
  token: string;
};

/** An app's own name and secret. */
export type ClientCredentialsInput = {
  /** The app's client id. */
  clientId: string;
  /** The app's client secret; it signs the app's webhooks too. */
  clientSecret: string;
};

/** What a range is compared with. */
export type Comparison =
  /** As many days, right before the range. */
  | 'PREVIOUS_PERIOD'
  /** The same dates a year earlier; 28 February for 29 February. */
  | 'PREVIOUS_YEAR';

/** Which store is to be connected. */
export type ConnectShopInput = {
  /** The store. The user becomes its owner. */
  shop: ShopCredentialsInput;
};

/** One of the two ways in which Shopify lets an app read a store. */
export type CredentialsInput =
  {   /** The Admin API access token of a custom app of the store. */
  accessToken: AccessTokenInput; clientCredentials?: never; }
  |  { accessToken?: never;   /** An app's client id and secret, traded for short-lived tokens (client-credentials grant). */
  clientCredentials: ClientCredentialsInput; };

/**
 * A range that moves with the present day in the shop's time zone. All but `YESTERDAY` and `LAST_MONTH` end with
 * the present day, as far as it has come.
 */
export type DatePreset =
  /** From the first day with a sale to the present day. */
  | 'ALL_TIME'
  /** Seven days, the present one included. */
  | 'LAST_7_DAYS'
  /** Thirty days, the present one included. */
  | 'LAST_30_DAYS'
  /** Ninety days, the present one included. */
  | 'LAST_90_DAYS'
  /** 365 days, the present one included. */
  | 'LAST_365_DAYS'
  /** The whole calendar month before the present one. */
  | 'LAST_MONTH'
  /** From the first of the month to the present day. */
  | 'MONTH_TO_DATE'
  /** From the first of January, April, July or October to the present day. */
  | 'QUARTER_TO_DATE'
  /** The present day. */
  | 'TODAY'
  /** From the first of January to the present day. */
  | 'YEAR_TO_DATE'
  /** The day before the present one. */
  | 'YESTERDAY';

/** A range of days of the shop's calendar: two days, or a preset that moves with the present day. */
export type DateRangeInput =
  {   /** From one day to another. */
  between: DaysInput; preset?: never; }
  |  { between?: never;   /** A range that moves with the present day. */
  preset: DatePreset; };

/** Two days of the shop's calendar, both included: at most 100 years, in the years 1900 to 2199. */
export type DaysInput = {
  /** The first day. */
  from: string;
  /** The last day; not before the first. */
  to: string;
};

/** What a series is cut into. Calendar intervals follow the shop's time zone. */
export type Interval =
  /** Calendar days. */
  | 'DAY'
  /**
   * Hours, counted from the beginning of each day: 23 or 25 of them on the days on which clocks change. For
   * ranges of at most 14 days.
   */
  | 'HOUR'
  /** Calendar months. */
  | 'MONTH'
  /** Quarters of the calendar year. */
  | 'QUARTER'
  /** ISO weeks, which begin on Monday. */
  | 'WEEK'
  /** Calendar years. */
  | 'YEAR';

/** The kinds of objects that a sync fetches. */
export type ObjectKind =
  /** Customers. */
  | 'CUSTOMERS'
  /** Orders with their lines, refunds and sales. */
  | 'ORDERS'
  /** Products with their variants. */
  | 'PRODUCTS';

/** Who signs up, with which store. */
export type RegisterInput = {
  /** The address to sign in with. */
  email: string;
  /** At least 12 characters, and none of the passwords that anyone would try first. */
  password: string;
  /** The store to connect. The user becomes its owner. */
  shop: ShopCredentialsInput;
};

/** Who signs up, with a store that let the app in. */
export type RegisterInstalledInput = {
  /** The address to sign in with. */
  email: string;
  /** At least 12 characters, and none of the passwords that anyone would try first. */
  password: string;
  /** The code of the page at which the installation ended. */
  token: string;
};

/** What a member may do with a store. Each role may do what those listed after it may. */
export type Role =
  /** Also starts syncs, changes the store's credentials, and invites and removes viewers. */
  | 'ADMIN'
  /**
   * May do everything: also looks after members of every role, reads the audit log, disconnects the store.
   * Whoever connects a store owns it.
   */
  | 'OWNER'
  /** Sees the store's figures and objects, and changes nothing. */
  | 'VIEWER';

/**
 * A store and what lets XBoard read it. Needed access scopes: `read_orders`, `read_customers`,
 * `read_products`; with `read_all_orders` also the orders older than 60 days.
 */
export type ShopCredentialsInput = {
  /** What lets XBoard read the store. Kept encrypted. */
  credentials: CredentialsInput;
  /** The store's permanent domain: `my-store.myshopify.com`. */
  domain: string;
};

/** Whether a store can be read from. */
export type ShopStatus =
  /** All is well: changes in the store arrive here. */
  | 'CONNECTED'
  /** The owner disconnected the store. What was read of it remains visible. */
  | 'DISCONNECTED'
  /** Shopify refused the credentials: `updateShopCredentials` takes new ones. */
  | 'REAUTHORISATION_NEEDED'
  /** Shopify closed, froze or locked the store. */
  | 'SUSPENDED';

/** How much a sync fetches. */
export type SyncMode =
  /** Everything that Shopify shows. */
  | 'FULL'
  /** What changed in the store since the last sync. */
  | 'INCREMENTAL';

/** How far a sync is. */
export type SyncStatus =
  /** It was stopped because the store was disconnected. */
  | 'CANCELLED'
  /** It was given up; `error` says why. */
  | 'FAILED'
  /** It waits for a worker. */
  | 'QUEUED'
  /** It is under way. */
  | 'RUNNING'
  /** Everything is in. */
  | 'SUCCEEDED';

/** What started a sync. */
export type SyncTrigger =
  /** A member asked for it. */
  | 'MANUAL'
  /** The store was connected. */
  | 'REGISTER'
  /** It was time for the regular one. */
  | 'SCHEDULE'
  /** The store told of a change that calls for one. */
  | 'WEBHOOK';

/** What can be wrong with an input. */
export type UserErrorCode =
  /** The store refused the credentials. */
  | 'ACCESS_TOKEN_REJECTED'
  /** It was good once, and is no longer. */
  | 'EXPIRED'
  /** The value has not the form that it needs. */
  | 'INVALID'
  /** The email address and the password do not belong together. */
  | 'INVALID_CREDENTIALS'
  /** The store would be left without an owner. */
  | 'LAST_OWNER'
  /** The app was not given all access scopes that are needed; the message names those that are missing. */
  | 'MISSING_SCOPES'
  /** Your role does not allow that. */
  | 'NOT_ALLOWED'
  /** Too many attempts; the message says how long to wait. */
  | 'RATE_LIMITED'
  /** The store is connected already. */
  | 'SHOP_ALREADY_CONNECTED'
  /** The store is disconnected: connect it again first. */
  | 'SHOP_DISCONNECTED'
  /** Shopify knows no store of this domain. */
  | 'SHOP_NOT_FOUND'
  /** The store did not answer, or is closed. Trying again later may help. */
  | 'SHOP_UNREACHABLE'
  /** Somebody else has it already. */
  | 'TAKEN'
  /** The password is among the first that anyone would try. */
  | 'TOO_COMMON'
  /** There are as many as there may be. */
  | 'TOO_MANY'
  /** The password is shorter than 12 characters. */
  | 'TOO_SHORT';

/** Whether a store tells of changes as they happen. */
export type WebhookState =
  /** Every topic is listened to: changes arrive within seconds. */
  | 'ACTIVE'
  /** Some or all topics are not listened to; `webhooksProblem` says why. Polling does the work. */
  | 'INCOMPLETE'
  /**
   * This server has no address that Shopify could reach, or the store was not looked at yet. Polling does
   * the work.
   */
  | 'OFF';

export type SignInMutationVariables = Exact<{
  email: string;
  password: string;
}>;


export type SignInMutation = { login: { session: { token: string, expiresAt: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type SignUpMutationVariables = Exact<{
  input: RegisterInput;
}>;


export type SignUpMutation = { register: { session: { token: string, expiresAt: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type RefreshSessionMutationVariables = Exact<{ [key: string]: never; }>;


export type RefreshSessionMutation = { refreshSession: { session: { token: string, expiresAt: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type SwitchStoreMutationVariables = Exact<{
  tenantId: string;
}>;


export type SwitchStoreMutation = { switchTenant: { session: { token: string, expiresAt: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type ConnectStoreMutationVariables = Exact<{
  input: ConnectShopInput;
}>;


export type ConnectStoreMutation = { connectShop: { session: { token: string, expiresAt: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type SignUpInstalledMutationVariables = Exact<{
  input: RegisterInstalledInput;
}>;


export type SignUpInstalledMutation = { registerInstalled: { session: { token: string, expiresAt: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type ClaimStoreMutationVariables = Exact<{
  code: string;
}>;


export type ClaimStoreMutation = { claimShop: { session: { token: string, expiresAt: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type SignOutMutationVariables = Exact<{ [key: string]: never; }>;


export type SignOutMutation = { logout: { userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type SyncNowMutationVariables = Exact<{
  mode: SyncMode;
}>;


export type SyncNowMutation = { sync: { syncRun: { id: string, mode: SyncMode, status: SyncStatus, trigger: SyncTrigger, queuedAt: string, startedAt: string | null, finishedAt: string | null, error: string | null, progress: Array<{ kind: ObjectKind, done: number, total: number | null, leftOut: Array<string> }> } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type NewCredentialsMutationVariables = Exact<{
  credentials: CredentialsInput;
}>;


export type NewCredentialsMutation = { updateShopCredentials: { tenant: { id: string, shop: { status: ShopStatus, statusReason: string | null } } | null, syncRun: { id: string } | null, userErrors: Array<{ field: Array<string> | null, message: string, code: UserErrorCode }> } };

export type TokensFragment = { token: string, expiresAt: string };

export type ProblemFragment = { field: Array<string> | null, message: string, code: UserErrorCode };

export type StoreSettingsQueryVariables = Exact<{ [key: string]: never; }>;


export type StoreSettingsQuery = { me: { id: string, email: string, memberships: Array<{ role: Role, tenant: { id: string } }>, tenant: { id: string, shop: { name: string, domain: string, status: ShopStatus, statusReason: string | null } } } | null };

export type DashboardQueryVariables = Exact<{
  range: DateRangeInput;
  compareTo?: Comparison | null | undefined;
  interval: Interval;
}>;


export type DashboardQuery = { me: { email: string, memberships: Array<{ role: Role, tenant: { id: string, shop: { name: string, domain: string } } }>, tenant: { id: string, shop: { name: string, domain: string, currencyCode: string, timeZone: string, status: ShopStatus, statusReason: string | null, lastSyncedAt: string | null, orderHistoryDays: number | null, health: { webhooks: WebhookState, webhooksProblem: string | null, webhooksCheckedAt: string | null, reconciledAt: string | null, reconciledMissed: number, reconciledDeleted: number, missingScopes: Array<string>, kinds: Array<{ kind: ObjectKind, fetchedUpTo: string | null, lastHeardAt: string | null }> } } } } | null, overview: { totalCustomers: number, ordersInOtherCurrencies: number, range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, duties: { amount: string }, fees: { amount: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } }, previous: { range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } } | null }, ordersByDate: Array<{ date: string, start: string, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } }>, topCustomers: Array<{ rank: number, orders: number, customer: { id: string, displayName: string, email: string | null }, totalSpent: { amount: string, currencyCode: string } }>, recentOrders: { nodes: Array<{ id: string, name: string, processedAt: string, cancelledAt: string | null, financialStatus: string | null, fulfillmentStatus: string | null, test: boolean, customer: { displayName: string } | null, totalPrice: { amount: string, currencyCode: string } }> }, products: { nodes: Array<{ id: string, title: string, unitsSold: number, netSales: { amount: string, currencyCode: string } }> }, syncRuns: { nodes: Array<{ id: string, mode: SyncMode, status: SyncStatus, trigger: SyncTrigger, queuedAt: string, startedAt: string | null, finishedAt: string | null, error: string | null, progress: Array<{ kind: ObjectKind, done: number, total: number | null, leftOut: Array<string> }> }> } };

export type StoreFragment = { me: { email: string, memberships: Array<{ role: Role, tenant: { id: string, shop: { name: string, domain: string } } }>, tenant: { id: string, shop: { name: string, domain: string, currencyCode: string, timeZone: string, status: ShopStatus, statusReason: string | null, lastSyncedAt: string | null, orderHistoryDays: number | null, health: { webhooks: WebhookState, webhooksProblem: string | null, webhooksCheckedAt: string | null, reconciledAt: string | null, reconciledMissed: number, reconciledDeleted: number, missingScopes: Array<string>, kinds: Array<{ kind: ObjectKind, fetchedUpTo: string | null, lastHeardAt: string | null }> } } } } | null };

export type FiguresFragment = { overview: { totalCustomers: number, ordersInOtherCurrencies: number, range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } }, previous: { range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } } | null } };

export type SalesOverTimeFragment = { ordersByDate: Array<{ date: string, start: string, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } }> };

export type ComparedSalesQueryVariables = Exact<{
  range: DateRangeInput;
  interval: Interval;
}>;


export type ComparedSalesQuery = { ordersByDate: Array<{ date: string, start: string, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } }> };

export type FromGrossToTotalFragment = { overview: { metrics: { grossSales: { amount: string, currencyCode: string }, discounts: { amount: string }, returns: { amount: string }, netSales: { amount: string }, shipping: { amount: string }, taxes: { amount: string }, duties: { amount: string }, fees: { amount: string }, totalSales: { amount: string } } } };

export type TopCustomersFragment = { topCustomers: Array<{ rank: number, orders: number, customer: { id: string, displayName: string, email: string | null }, totalSpent: { amount: string, currencyCode: string } }> };

export type RecentOrdersFragment = { recentOrders: { nodes: Array<{ id: string, name: string, processedAt: string, cancelledAt: string | null, financialStatus: string | null, fulfillmentStatus: string | null, test: boolean, customer: { displayName: string } | null, totalPrice: { amount: string, currencyCode: string } }> } };

export type TopProductsFragment = { products: { nodes: Array<{ id: string, title: string, unitsSold: number, netSales: { amount: string, currencyCode: string } }> } };

export type SyncsFragment = { syncRuns: { nodes: Array<{ id: string, mode: SyncMode, status: SyncStatus, trigger: SyncTrigger, queuedAt: string, startedAt: string | null, finishedAt: string | null, error: string | null, progress: Array<{ kind: ObjectKind, done: number, total: number | null, leftOut: Array<string> }> }> } };

export type RunFragment = { id: string, mode: SyncMode, status: SyncStatus, trigger: SyncTrigger, queuedAt: string, startedAt: string | null, finishedAt: string | null, error: string | null, progress: Array<{ kind: ObjectKind, done: number, total: number | null, leftOut: Array<string> }> };

export type MetricsFragment = { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } };

export type StoreChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type StoreChangedSubscription = { storeChanged: { days: Array<string>, latestOrder: { id: string } | null } };

export type SyncProgressSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type SyncProgressSubscription = { syncProgress: { id: string, mode: SyncMode, status: SyncStatus, trigger: SyncTrigger, queuedAt: string, startedAt: string | null, finishedAt: string | null, error: string | null, progress: Array<{ kind: ObjectKind, done: number, total: number | null, leftOut: Array<string> }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const TokensFragmentDoc = new TypedDocumentString(`
    fragment Tokens on Session {
  token
  expiresAt
}
    `, {"fragmentName":"Tokens"}) as unknown as TypedDocumentString<TokensFragment, unknown>;
export const ProblemFragmentDoc = new TypedDocumentString(`
    fragment Problem on UserError {
  field
  message
  code
}
    `, {"fragmentName":"Problem"}) as unknown as TypedDocumentString<ProblemFragment, unknown>;
export const StoreFragmentDoc = new TypedDocumentString(`
    fragment Store on Query {
  me {
    email
    memberships {
      role
      tenant {
        id
        shop {
          name
          domain
        }
      }
    }
    tenant {
      id
      shop {
        name
        domain
        currencyCode
        timeZone
        status
        statusReason
        lastSyncedAt
        orderHistoryDays
        health {
          webhooks
          webhooksProblem
          webhooksCheckedAt
          reconciledAt
          reconciledMissed
          reconciledDeleted
          missingScopes
          kinds {
            kind
            fetchedUpTo
            lastHeardAt
          }
        }
      }
    }
  }
}
    `, {"fragmentName":"Store"}) as unknown as TypedDocumentString<StoreFragment, unknown>;
export const MetricsFragmentDoc = new TypedDocumentString(`
    fragment Metrics on SalesMetrics {
  orders
  unitsSold
  grossSales {
    amount
    currencyCode
  }
  discounts {
    amount
    currencyCode
  }
  returns {
    amount
    currencyCode
  }
  netSales {
    amount
    currencyCode
  }
  shipping {
    amount
    currencyCode
  }
  taxes {
    amount
    currencyCode
  }
  totalSales {
    amount
    currencyCode
  }
  averageOrderValue {
    amount
    currencyCode
  }
  customers
  newCustomers
  returningCustomers
  returningCustomerRate
}
    `, {"fragmentName":"Metrics"}) as unknown as TypedDocumentString<MetricsFragment, unknown>;
export const FiguresFragmentDoc = new TypedDocumentString(`
    fragment Figures on Query {
  overview(range: $range, compareTo: $compareTo) {
    range {
      from
      to
    }
    metrics {
      ...Metrics
    }
    previous {
      range {
        from
        to
      }
      metrics {
        ...Metrics
      }
    }
    totalCustomers
    ordersInOtherCurrencies
  }
}
    fragment Metrics on SalesMetrics {
  orders
  unitsSold
  grossSales {
    amount
    currencyCode
  }
  discounts {
    amount
    currencyCode
  }
  returns {
    amount
    currencyCode
  }
  netSales {
    amount
    currencyCode
  }
  shipping {
    amount
    currencyCode
  }
  taxes {
    amount
    currencyCode
  }
  totalSales {
    amount
    currencyCode
  }
  averageOrderValue {
    amount
    currencyCode
  }
  customers
  newCustomers
  returningCustomers
  returningCustomerRate
}`, {"fragmentName":"Figures"}) as unknown as TypedDocumentString<FiguresFragment, unknown>;
export const SalesOverTimeFragmentDoc = new TypedDocumentString(`
    fragment SalesOverTime on Query {
  ordersByDate(range: $range, interval: $interval) {
    date
    start
    metrics {
      ...Metrics
    }
  }
}
    fragment Metrics on SalesMetrics {
  orders
  unitsSold
  grossSales {
    amount
    currencyCode
  }
  discounts {
    amount
    currencyCode
  }
  returns {
    amount
    currencyCode
  }
  netSales {
    amount
    currencyCode
  }
  shipping {
    amount
    currencyCode
  }
  taxes {
    amount
    currencyCode
  }
  totalSales {
    amount
    currencyCode
  }
  averageOrderValue {
    amount
    currencyCode
  }
  customers
  newCustomers
  returningCustomers
  returningCustomerRate
}`, {"fragmentName":"SalesOverTime"}) as unknown as TypedDocumentString<SalesOverTimeFragment, unknown>;
export const FromGrossToTotalFragmentDoc = new TypedDocumentString(`
    fragment FromGrossToTotal on Query {
  overview(range: $range, compareTo: $compareTo) {
    metrics {
      grossSales {
        amount
        currencyCode
      }
      discounts {
        amount
      }
      returns {
        amount
      }
      netSales {
        amount
      }
      shipping {
        amount
      }
      taxes {
        amount
      }
      duties {
        amount
      }
      fees {
        amount
      }
      totalSales {
        amount
      }
    }
  }
}
    `, {"fragmentName":"FromGrossToTotal"}) as unknown as TypedDocumentString<FromGrossToTotalFragment, unknown>;
export const TopCustomersFragmentDoc = new TypedDocumentString(`
    fragment TopCustomers on Query {
  topCustomers(first: 8, range: $range) {
    rank
    customer {
      id
      displayName
      email
    }
    orders
    totalSpent {
      amount
      currencyCode
    }
  }
}
    `, {"fragmentName":"TopCustomers"}) as unknown as TypedDocumentString<TopCustomersFragment, unknown>;
export const RecentOrdersFragmentDoc = new TypedDocumentString(`
    fragment RecentOrders on Query {
  recentOrders(first: 8) {
    nodes {
      id
      name
      processedAt
      cancelledAt
      financialStatus
      fulfillmentStatus
      test
      customer {
        displayName
      }
      totalPrice {
        amount
        currencyCode
      }
    }
  }
}
    `, {"fragmentName":"RecentOrders"}) as unknown as TypedDocumentString<RecentOrdersFragment, unknown>;
export const TopProductsFragmentDoc = new TypedDocumentString(`
    fragment TopProducts on Query {
  products(first: 8, sort: NET_SALES_DESC) {
    nodes {
      id
      title
      unitsSold
      netSales {
        amount
        currencyCode
      }
    }
  }
}
    `, {"fragmentName":"TopProducts"}) as unknown as TypedDocumentString<TopProductsFragment, unknown>;
export const RunFragmentDoc = new TypedDocumentString(`
    fragment Run on SyncRun {
  id
  mode
  status
  trigger
  queuedAt
  startedAt
  finishedAt
  progress {
    kind
    done
    total
    leftOut
  }
  error
}
    `, {"fragmentName":"Run"}) as unknown as TypedDocumentString<RunFragment, unknown>;
export const SyncsFragmentDoc = new TypedDocumentString(`
    fragment Syncs on Query {
  syncRuns(first: 6) {
    nodes {
      ...Run
    }
  }
}
    fragment Run on SyncRun {
  id
  mode
  status
  trigger
  queuedAt
  startedAt
  finishedAt
  progress {
    kind
    done
    total
    leftOut
  }
  error
}`, {"fragmentName":"Syncs"}) as unknown as TypedDocumentString<SyncsFragment, unknown>;
export const SignInDocument = new TypedDocumentString(`
    mutation SignIn($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) {
    session {
      ...Tokens
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Tokens on Session {
  token
  expiresAt
}
fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<SignInMutation, SignInMutationVariables>;
export const SignUpDocument = new TypedDocumentString(`
    mutation SignUp($input: RegisterInput!) {
  register(input: $input) {
    session {
      ...Tokens
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Tokens on Session {
  token
  expiresAt
}
fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<SignUpMutation, SignUpMutationVariables>;
export const RefreshSessionDocument = new TypedDocumentString(`
    mutation RefreshSession {
  refreshSession(refreshToken: "") {
    session {
      ...Tokens
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Tokens on Session {
  token
  expiresAt
}
fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<RefreshSessionMutation, RefreshSessionMutationVariables>;
export const SwitchStoreDocument = new TypedDocumentString(`
    mutation SwitchStore($tenantId: ID!) {
  switchTenant(tenantId: $tenantId) {
    session {
      ...Tokens
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Tokens on Session {
  token
  expiresAt
}
fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<SwitchStoreMutation, SwitchStoreMutationVariables>;
export const ConnectStoreDocument = new TypedDocumentString(`
    mutation ConnectStore($input: ConnectShopInput!) {
  connectShop(input: $input) {
    session {
      ...Tokens
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Tokens on Session {
  token
  expiresAt
}
fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<ConnectStoreMutation, ConnectStoreMutationVariables>;
export const SignUpInstalledDocument = new TypedDocumentString(`
    mutation SignUpInstalled($input: RegisterInstalledInput!) {
  registerInstalled(input: $input) {
    session {
      ...Tokens
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Tokens on Session {
  token
  expiresAt
}
fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<SignUpInstalledMutation, SignUpInstalledMutationVariables>;
export const ClaimStoreDocument = new TypedDocumentString(`
    mutation ClaimStore($code: String!) {
  claimShop(token: $code) {
    session {
      ...Tokens
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Tokens on Session {
  token
  expiresAt
}
fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<ClaimStoreMutation, ClaimStoreMutationVariables>;
export const SignOutDocument = new TypedDocumentString(`
    mutation SignOut {
  logout {
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<SignOutMutation, SignOutMutationVariables>;
export const SyncNowDocument = new TypedDocumentString(`
    mutation SyncNow($mode: SyncMode!) {
  sync(input: {mode: $mode}) {
    syncRun {
      ...Run
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  field
  message
  code
}
fragment Run on SyncRun {
  id
  mode
  status
  trigger
  queuedAt
  startedAt
  finishedAt
  progress {
    kind
    done
    total
    leftOut
  }
  error
}`) as unknown as TypedDocumentString<SyncNowMutation, SyncNowMutationVariables>;
export const NewCredentialsDocument = new TypedDocumentString(`
    mutation NewCredentials($credentials: CredentialsInput!) {
  updateShopCredentials(input: {credentials: $credentials}) {
    tenant {
      id
      shop {
        status
        statusReason
      }
    }
    syncRun {
      id
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  field
  message
  code
}`) as unknown as TypedDocumentString<NewCredentialsMutation, NewCredentialsMutationVariables>;
export const StoreSettingsDocument = new TypedDocumentString(`
    query StoreSettings {
  me {
    id
    email
    memberships {
      role
      tenant {
        id
      }
    }
    tenant {
      id
      shop {
        name
        domain
        status
        statusReason
      }
    }
  }
}
    `) as unknown as TypedDocumentString<StoreSettingsQuery, StoreSettingsQueryVariables>;
export const DashboardDocument = new TypedDocumentString(`
    query Dashboard($range: DateRangeInput!, $compareTo: Comparison, $interval: Interval!) {
  ...Store
  ...Figures
  ...SalesOverTime
  ...FromGrossToTotal
  ...TopCustomers
  ...RecentOrders
  ...TopProducts
  ...Syncs
}
    fragment Store on Query {
  me {
    email
    memberships {
      role
      tenant {
        id
        shop {
          name
          domain
        }
      }
    }
    tenant {
      id
      shop {
        name
        domain
        currencyCode
        timeZone
        status
        statusReason
        lastSyncedAt
        orderHistoryDays
        health {
          webhooks
          webhooksProblem
          webhooksCheckedAt
          reconciledAt
          reconciledMissed
          reconciledDeleted
          missingScopes
          kinds {
            kind
            fetchedUpTo
            lastHeardAt
          }
        }
      }
    }
  }
}
fragment Figures on Query {
  overview(range: $range, compareTo: $compareTo) {
    range {
      from
      to
    }
    metrics {
      ...Metrics
    }
    previous {
      range {
        from
        to
      }
      metrics {
        ...Metrics
      }
    }
    totalCustomers
    ordersInOtherCurrencies
  }
}
fragment SalesOverTime on Query {
  ordersByDate(range: $range, interval: $interval) {
    date
    start
    metrics {
      ...Metrics
    }
  }
}
fragment FromGrossToTotal on Query {
  overview(range: $range, compareTo: $compareTo) {
    metrics {
      grossSales {
        amount
        currencyCode
      }
      discounts {
        amount
      }
      returns {
        amount
      }
      netSales {
        amount
      }
      shipping {
        amount
      }
      taxes {
        amount
      }
      duties {
        amount
      }
      fees {
        amount
      }
      totalSales {
        amount
      }
    }
  }
}
fragment TopCustomers on Query {
  topCustomers(first: 8, range: $range) {
    rank
    customer {
      id
      displayName
      email
    }
    orders
    totalSpent {
      amount
      currencyCode
    }
  }
}
fragment RecentOrders on Query {
  recentOrders(first: 8) {
    nodes {
      id
      name
      processedAt
      cancelledAt
      financialStatus
      fulfillmentStatus
      test
      customer {
        displayName
      }
      totalPrice {
        amount
        currencyCode
      }
    }
  }
}
fragment TopProducts on Query {
  products(first: 8, sort: NET_SALES_DESC) {
    nodes {
      id
      title
      unitsSold
      netSales {
        amount
        currencyCode
      }
    }
  }
}
fragment Syncs on Query {
  syncRuns(first: 6) {
    nodes {
      ...Run
    }
  }
}
fragment Run on SyncRun {
  id
  mode
  status
  trigger
  queuedAt
  startedAt
  finishedAt
  progress {
    kind
    done
    total
    leftOut
  }
  error
}
fragment Metrics on SalesMetrics {
  orders
  unitsSold
  grossSales {
    amount
    currencyCode
  }
  discounts {
    amount
    currencyCode
  }
  returns {
    amount
    currencyCode
  }
  netSales {
    amount
    currencyCode
  }
  shipping {
    amount
    currencyCode
  }
  taxes {
    amount
    currencyCode
  }
  totalSales {
    amount
    currencyCode
  }
  averageOrderValue {
    amount
    currencyCode
  }
  customers
  newCustomers
  returningCustomers
  returningCustomerRate
}`) as unknown as TypedDocumentString<DashboardQuery, DashboardQueryVariables>;
export const ComparedSalesDocument = new TypedDocumentString(`
    query ComparedSales($range: DateRangeInput!, $interval: Interval!) {
  ...SalesOverTime
}
    fragment SalesOverTime on Query {
  ordersByDate(range: $range, interval: $interval) {
    date
    start
    metrics {
      ...Metrics
    }
  }
}
fragment Metrics on SalesMetrics {
  orders
  unitsSold
  grossSales {
    amount
    currencyCode
  }
  discounts {
    amount
    currencyCode
  }
  returns {
    amount
    currencyCode
  }
  netSales {
    amount
    currencyCode
  }
  shipping {
    amount
    currencyCode
  }
  taxes {
    amount
    currencyCode
  }
  totalSales {
    amount
    currencyCode
  }
  averageOrderValue {
    amount
    currencyCode
  }
  customers
  newCustomers
  returningCustomers
  returningCustomerRate
}`) as unknown as TypedDocumentString<ComparedSalesQuery, ComparedSalesQueryVariables>;
export const StoreChangedDocument = new TypedDocumentString(`
    subscription StoreChanged {
  storeChanged {
    days
    latestOrder {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<StoreChangedSubscription, StoreChangedSubscriptionVariables>;
export const SyncProgressDocument = new TypedDocumentString(`
    subscription SyncProgress {
  syncProgress {
    ...Run
  }
}
    fragment Run on SyncRun {
  id
  mode
  status
  trigger
  queuedAt
  startedAt
  finishedAt
  progress {
    kind
    done
    total
    leftOut
  }
  error
}`) as unknown as TypedDocumentString<SyncProgressSubscription, SyncProgressSubscriptionVariables>;