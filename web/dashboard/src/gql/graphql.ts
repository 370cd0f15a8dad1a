/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A static Admin API access token. */
export type AccessTokenInput = {
  /**
   * The app's API secret key. Shopify signs the app's webhooks with it. Without it, changes
   * arrive by polling only.
   */
  apiSecret?: string | null | undefined;
  /** The token: `shpat_…`. */
  token: string;
};

/** The client id and client secret of a Shopify app. */
export type ClientCredentialsInput = {
  /** The app's client id. */
  clientId: string;
  /** The app's client secret. Shopify also signs the app's webhooks with it. */
  clientSecret: string;
};

/** The range to compare with. */
export type Comparison =
  /** The same number of days, immediately before the range. */
  | 'PREVIOUS_PERIOD'
  /** The same dates one year earlier. 29 February becomes 28 February. */
  | 'PREVIOUS_YEAR';

/** Input of `connectShop`. */
export type ConnectShopInput = {
  /** The shop to connect. The user becomes its owner. */
  shop: ShopCredentialsInput;
};

/** The credentials of a Shopify app. Give exactly one of the two kinds. */
export type CredentialsInput =
  {   /** The Admin API access token of a custom app of the shop. */
  accessToken: AccessTokenInput; clientCredentials?: never; }
  |  { accessToken?: never;   /**
   * An app's client id and client secret. XBoard exchanges them for short-lived tokens
   * (client-credentials grant).
   */
  clientCredentials: ClientCredentialsInput; };

/**
 * A range relative to today in the shop's time zone. All presets except `YESTERDAY` and
 * `LAST_MONTH` include today so far.
 */
export type DatePreset =
  /** From the first day with a sale to today. */
  | 'ALL_TIME'
  /** The last 7 days, including today. */
  | 'LAST_7_DAYS'
  /** The last 30 days, including today. */
  | 'LAST_30_DAYS'
  /** The last 90 days, including today. */
  | 'LAST_90_DAYS'
  /** The last 365 days, including today. */
  | 'LAST_365_DAYS'
  /** The whole previous calendar month. */
  | 'LAST_MONTH'
  /** From the first day of this month to today. */
  | 'MONTH_TO_DATE'
  /** From the first day of this calendar quarter to today. */
  | 'QUARTER_TO_DATE'
  /** Today. */
  | 'TODAY'
  /** From 1 January to today. */
  | 'YEAR_TO_DATE'
  /** Yesterday. */
  | 'YESTERDAY';

/** A range of calendar days in the shop's time zone. Give exactly one of the two kinds. */
export type DateRangeInput =
  {   /** A range between two fixed days. */
  between: DaysInput; preset?: never; }
  |  { between?: never;   /** A range relative to today. */
  preset: DatePreset; };

/**
 * A range between two calendar days, both included. At most 100 years, within the years 1900 to
 * 2199.
 */
export type DaysInput = {
  /** The first day. */
  from: string;
  /** The last day. Must not be before the first. */
  to: string;
};

/** The length of the intervals of a series. Calendar intervals follow the shop's time zone. */
export type Interval =
  /** Calendar days. */
  | 'DAY'
  /**
   * Hours, counted from the start of each day. A day has 23 or 25 hours when the clocks change.
   * Only for ranges of at most 14 days.
   */
  | 'HOUR'
  /** Calendar months. */
  | 'MONTH'
  /** Calendar quarters. */
  | 'QUARTER'
  /** ISO weeks, which start on Monday. */
  | 'WEEK'
  /** Calendar years. */
  | 'YEAR';

/** The kinds of objects that a sync fetches. */
export type ObjectKind =
  /** Customers. */
  | 'CUSTOMERS'
  /** Orders with their line items, refunds and sales. */
  | 'ORDERS'
  /** Products with their variants. */
  | 'PRODUCTS';

/** Input of `register`. */
export type RegisterInput = {
  /** The email address to sign in with. */
  email: string;
  /** The password: at least 12 characters, and not a common password. */
  password: string;
  /** The shop to connect. The user becomes its owner. */
  shop: ShopCredentialsInput;
};

/** Input of `registerInstalled`. */
export type RegisterInstalledInput = {
  /** The email address to sign in with. */
  email: string;
  /** The password: at least 12 characters, and not a common password. */
  password: string;
  /** The code shown at the end of the installation. */
  token: string;
};

/** A member's role in a shop. Each role includes the permissions of the roles after it. */
export type Role =
  /** Can also start syncs, replace the shop's credentials, and invite and remove viewers. */
  | 'ADMIN'
  /**
   * Full access: can also manage all members, read the audit log and disconnect the shop. The
   * user who connects a shop becomes its owner.
   */
  | 'OWNER'
  /** Can read the shop's figures and objects, and change nothing. */
  | 'VIEWER';

/**
 * A shop and the credentials to read it with. Required access scopes: `read_orders`,
 * `read_customers`, `read_products`. Orders older than 60 days also need `read_all_orders`.
 */
export type ShopCredentialsInput = {
  /** The credentials of an app with access to the shop. Stored encrypted. */
  credentials: CredentialsInput;
  /** The shop's permanent domain: `my-store.myshopify.com`. */
  domain: string;
};

/** The status of the connection to a shop. */
export type ShopStatus =
  /** Connected. Changes in the shop are synced. */
  | 'CONNECTED'
  /** The owner has disconnected the shop. Its synced data stays visible. */
  | 'DISCONNECTED'
  /** Shopify has rejected the credentials. Replace them with `updateShopCredentials`. */
  | 'REAUTHORISATION_NEEDED'
  /** Shopify has closed, frozen or locked the shop. */
  | 'SUSPENDED';

/** How much a sync fetches. */
export type SyncMode =
  /** Everything that Shopify shows the app. */
  | 'FULL'
  /** Only changes since the last sync. */
  | 'INCREMENTAL';

/** The status of a sync run. */
export type SyncStatus =
  /** Stopped because the shop was disconnected. */
  | 'CANCELLED'
  /** Failed; `error` says why. */
  | 'FAILED'
  /** Waiting for a worker. */
  | 'QUEUED'
  /** In progress. */
  | 'RUNNING'
  /** Finished successfully. */
  | 'SUCCEEDED';

/** The triggers of a sync run. */
export type SyncTrigger =
  /** A member requested the run. */
  | 'MANUAL'
  /** The shop was connected. */
  | 'REGISTER'
  /** The regular schedule. */
  | 'SCHEDULE'
  /** A webhook reported a change that needs a sync. */
  | 'WEBHOOK';

/** The codes of errors in the input of a mutation. */
export type UserErrorCode =
  /** Shopify rejected the credentials. */
  | 'ACCESS_TOKEN_REJECTED'
  /** The token or session has expired. */
  | 'EXPIRED'
  /** The value is invalid or has the wrong format. */
  | 'INVALID'
  /** The email address or the password is wrong. */
  | 'INVALID_CREDENTIALS'
  /** The change would leave the shop without an owner. */
  | 'LAST_OWNER'
  /** The app was not granted all required access scopes. The message lists the missing ones. */
  | 'MISSING_SCOPES'
  /** The user's role does not allow the change. */
  | 'NOT_ALLOWED'
  /** Too many attempts. The message says how long to wait. */
  | 'RATE_LIMITED'
  /** The shop is already connected. */
  | 'SHOP_ALREADY_CONNECTED'
  /** The shop is disconnected. Connect it again first. */
  | 'SHOP_DISCONNECTED'
  /** Shopify has no shop with this domain. */
  | 'SHOP_NOT_FOUND'
  /** The shop did not respond, or is closed. Try again later. */
  | 'SHOP_UNREACHABLE'
  /** The value is already in use. */
  | 'TAKEN'
  /** The password is too common. */
  | 'TOO_COMMON'
  /** The maximum number has been reached. */
  | 'TOO_MANY'
  /** The password is shorter than 12 characters. */
  | 'TOO_SHORT';

/** Whether webhooks from a shop arrive. */
export type WebhookState =
  /** All topics are subscribed. Changes arrive within seconds. */
  | 'ACTIVE'
  /**
   * Some or all topics are not subscribed; `webhooksProblem` says why. Changes arrive by
   * polling.
   */
  | 'INCOMPLETE'
  /**
   * The server has no public URL, or the shop's subscriptions have not been checked yet. Changes
   * arrive by polling.
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

export type AccountQueryVariables = Exact<{ [key: string]: never; }>;


export type AccountQuery = { me: { email: string, memberships: Array<{ role: Role, tenant: { id: string, shop: { name: string, domain: string } } }>, tenant: { id: string, shop: { name: string, domain: string, currencyCode: string, timeZone: string, status: ShopStatus, statusReason: string | null, lastSyncedAt: string | null, orderHistoryDays: number | null, health: { webhooks: WebhookState, webhooksProblem: string | null, webhooksCheckedAt: string | null, reconciledAt: string | null, reconciledMissed: number, reconciledDeleted: number, missingScopes: Array<string>, kinds: Array<{ kind: ObjectKind, fetchedUpTo: string | null, lastHeardAt: string | null }> } } } } | null, syncRuns: { nodes: Array<{ id: string, mode: SyncMode, status: SyncStatus, trigger: SyncTrigger, queuedAt: string, startedAt: string | null, finishedAt: string | null, error: string | null, progress: Array<{ kind: ObjectKind, done: number, total: number | null, leftOut: Array<string> }> }> } };

export type FiguresQueryVariables = Exact<{
  range: DateRangeInput;
  compareTo?: Comparison | null | undefined;
  interval: Interval;
}>;


export type FiguresQuery = { overview: { totalCustomers: number, ordersInOtherCurrencies: number, range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, duties: { amount: string }, fees: { amount: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } }, previous: { range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } } | null }, ordersByDate: Array<{ date: string, start: string, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } }, previous: { date: string, start: string, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } } | null }>, topCustomers: Array<{ rank: number, orders: number, customer: { id: string, displayName: string, email: string | null }, totalSpent: { amount: string, currencyCode: string } }>, recentOrders: { nodes: Array<{ id: string, name: string, processedAt: string, cancelledAt: string | null, financialStatus: string | null, fulfillmentStatus: string | null, test: boolean, customer: { displayName: string } | null, totalPrice: { amount: string, currencyCode: string } }> }, products: { nodes: Array<{ id: string, title: string, unitsSold: number, netSales: { amount: string, currencyCode: string } }> } };

export type MeFragment = { me: { email: string, memberships: Array<{ role: Role, tenant: { id: string, shop: { name: string, domain: string } } }>, tenant: { id: string, shop: { name: string, domain: string, currencyCode: string, timeZone: string, status: ShopStatus, statusReason: string | null, lastSyncedAt: string | null, orderHistoryDays: number | null, health: { webhooks: WebhookState, webhooksProblem: string | null, webhooksCheckedAt: string | null, reconciledAt: string | null, reconciledMissed: number, reconciledDeleted: number, missingScopes: Array<string>, kinds: Array<{ kind: ObjectKind, fetchedUpTo: string | null, lastHeardAt: string | null }> } } } } | null };

export type OverviewFragment = { overview: { totalCustomers: number, ordersInOtherCurrencies: number, range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } }, previous: { range: { from: string, to: string }, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } } | null } };

export type SalesOverTimeFragment = { ordersByDate: Array<{ date: string, start: string, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } }, previous: { date: string, start: string, metrics: { orders: number, unitsSold: number, customers: number, newCustomers: number, returningCustomers: number, returningCustomerRate: number | null, grossSales: { amount: string, currencyCode: string }, discounts: { amount: string, currencyCode: string }, returns: { amount: string, currencyCode: string }, netSales: { amount: string, currencyCode: string }, shipping: { amount: string, currencyCode: string }, taxes: { amount: string, currencyCode: string }, totalSales: { amount: string, currencyCode: string }, averageOrderValue: { amount: string, currencyCode: string } } } | null }> };

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
export const MeFragmentDoc = new TypedDocumentString(`
    fragment Me on Query {
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
    `, {"fragmentName":"Me"}) as unknown as TypedDocumentString<MeFragment, unknown>;
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
export const OverviewFragmentDoc = new TypedDocumentString(`
    fragment Overview on Query {
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
}`, {"fragmentName":"Overview"}) as unknown as TypedDocumentString<OverviewFragment, unknown>;
export const SalesOverTimeFragmentDoc = new TypedDocumentString(`
    fragment SalesOverTime on Query {
  ordersByDate(range: $range, compareTo: $compareTo, interval: $interval) {
    date
    start
    metrics {
      ...Metrics
    }
    previous {
      date
      start
      metrics {
        ...Metrics
      }
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
export const AccountDocument = new TypedDocumentString(`
    query Account {
  ...Me
  ...Syncs
}
    fragment Me on Query {
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
}`) as unknown as TypedDocumentString<AccountQuery, AccountQueryVariables>;
export const FiguresDocument = new TypedDocumentString(`
    query Figures($range: DateRangeInput!, $compareTo: Comparison, $interval: Interval!) {
  ...Overview
  ...SalesOverTime
  ...FromGrossToTotal
  ...TopCustomers
  ...RecentOrders
  ...TopProducts
}
    fragment Overview on Query {
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
  ordersByDate(range: $range, compareTo: $compareTo, interval: $interval) {
    date
    start
    metrics {
      ...Metrics
    }
    previous {
      date
      start
      metrics {
        ...Metrics
      }
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
}`) as unknown as TypedDocumentString<FiguresQuery, FiguresQueryVariables>;
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