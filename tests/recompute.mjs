// Works every figure of a simulated store out from the store itself, and compares it with what the API says.
//
//   node tests/recompute.mjs --simulator URL --shop LABEL --api URL --token TOKEN
//
// Written from the definitions alone (docs/figures.md), in another language and another way than
// the program: one pass over the exported ledger, sums by day in whole numbers, no SQL and no floats. Ends with 1
// when anything differs. `--api` is the address of GraphQL itself.

const DAYS_AT_ONCE = 1000;
/** Amounts are whole numbers of this part of a unit: more places than any amount has. */
const PLACES = 6;
const MONEY = ["grossSales", "discounts", "returns", "netSales", "shipping", "taxes", "duties", "fees", "totalSales", "averageOrderValue"];
const COUNTS = ["orders", "unitsSold", "customers", "newCustomers", "returningCustomers"];

function options() {
  const given = {};
  const words = process.argv.slice(2);
  while (words.length > 0) given[words.shift().replace(/^--/, "")] = words.shift();
  for (const name of ["simulator", "shop", "api", "token"]) {
    if (!given[name]) throw new Error(`--${name} is missing`);
  }
  return given;
}

// ---- exact decimals

function amount(text) {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!parts) throw new Error(`not an amount: ${text}`);
  const [, sign, whole, fraction = ""] = parts;
  if (fraction.length > PLACES) throw new Error(`more than ${PLACES} places: ${text}`);
  const value = BigInt(whole + fraction.padEnd(PLACES, "0"));
  return sign ? -value : value;
}

function shown(value) {
  const digits = (value < 0n ? -value : value).toString().padStart(PLACES + 1, "0");
  const fraction = digits.slice(-PLACES).replace(/0+$/, "").padEnd(2, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -PLACES)}.${fraction}`;
}

/** A quotient in the currency's smallest unit, halves away from zero. */
function average(value, count, decimals) {
  if (count === 0n) return 0n;
  const unit = 10n ** BigInt(PLACES - decimals);
  const sign = value < 0n ? -1n : 1n;
  const doubled = 2n * sign * value;
  return sign * ((doubled + count * unit) / (2n * count * unit)) * unit;
}

// ---- the store

async function* lines(response) {
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const found = (rest + text).split("\n");
    rest = found.pop();
    yield* found;
  }
  if (rest) yield rest;
}

const empty = () => ({
  orders: 0n, unitsSold: 0n, grossSales: 0n, discounts: 0n, returns: 0n, shipping: 0n, taxes: 0n, duties: 0n, fees: 0n, placed: 0n,
});

function add(to, from) {
  for (const name in from) to[name] += from[name];
}

/** Takes a value out of a map, made first where there is none. */
function entry(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

/** The lines whose quantity an agreement's updates leave as it was. */
function unchangedLines(agreement) {
  const changes = new Map();
  for (const sale of agreement.sales) {
    if (sale.kind !== "PRODUCT" || sale.action !== "UPDATE" || sale.line == null) continue;
    changes.set(sale.line, (changes.get(sale.line) ?? 0n) + BigInt(sale.quantity ?? 0));
  }
  return new Set([...changes].filter(([, change]) => change === 0n).map(([line]) => line));
}

/** What one sale adds to the figures of its day; null where it is in no figure. */
function worth(sale, reason, unchanged) {
  if (sale.kind === "GIFT_CARD" || sale.kind === "TIP") return null;
  const [total, tax, discount] = [amount(sale.total), amount(sale.tax), amount(sale.discount)];
  const net = total - tax;
  const adds = { taxes: tax };
  const units = BigInt(sale.quantity ?? 0);
  // An edit that changes the discount or the tax of a line alone has no gross amount, and reverses nothing.
  const negative = units < 0n || net + discount < 0n;
  const back = sale.action === "RETURN" || (sale.action === "UPDATE" && negative);
  const sold = (sale.action === "ORDER" || sale.action === "UPDATE") && !negative;
  switch (sale.kind) {
    case "PRODUCT":
      if (sold) Object.assign(adds, { grossSales: net + discount, discounts: discount, unitsSold: sale.action === "UPDATE" && unchanged.has(sale.line) ? 0n : units });
      if (sold && reason === "ORDER") adds.placed = net;
      if (back) adds.returns = -net;
      break;
    case "ADJUSTMENT":
      if (back) adds.returns = -net;
      break;
    case "SHIPPING":
      adds.shipping = net;
      break;
    case "DUTY":
      adds.duties = net;
      break;
    case "FEE":
    case "ADDITIONAL_FEE":
      adds.fees = net;
      break;
  }
  return adds;
}

const spent = (sums) => sums.grossSales - sums.discounts - sums.returns + sums.shipping + sums.taxes + sums.duties + sums.fees;

class Store {
  /** @type {Map<string, {sums: object, customers: Set<number>, foreign: number}>} */
  days = new Map();
  /** @type {Map<number, {first: string|null, firstOrder: object|null, days: Map<string, {orders: number, sums: object}>}>} */
  customers = new Map();
  known = 0;
  read = { orders: 0, tests: 0, deleted: 0, guests: 0, agreements: 0, sales: 0 };

  static async read(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    const store = new Store();
    for await (const line of lines(response)) {
      const row = JSON.parse(line);
      if (row.type === "shop") store.open(row);
      if (row.type === "customer" && !row.deleted) store.known += 1;
      if (row.type === "order") store.take(row);
    }
    return store;
  }

  open(shop) {
    this.currency = shop.currency;
    this.decimals = new Intl.NumberFormat("en", { style: "currency", currency: shop.currency }).resolvedOptions().maximumFractionDigits;
    const calendar = { timeZone: shop.timeZone, year: "numeric", month: "2-digit", day: "2-digit" };
    const format = new Intl.DateTimeFormat("en-CA", calendar);
    this.day = (instant) => format.format(new Date(instant));
  }

  of(day) {
    return entry(this.days, day, () => ({ sums: empty(), customers: new Set(), foreign: 0 }));
  }

  take(order) {
    this.read.orders += 1;
    if (order.test) this.read.tests += 1;
    if (order.deleted) this.read.deleted += 1;
    if (order.test || order.deleted) return;
    const placed = this.day(order.processedAt);
    const sales = order.agreements.flatMap((agreement) => agreement.sales);
    const counts = sales.some((sale) => sale.kind === "PRODUCT");
    const customer = order.customer === null ? null : entry(this.customers, order.customer, () => ({ first: null, firstOrder: null, days: new Map() }));
    if (counts && customer) {
      if (customer.first === null || placed < customer.first) customer.first = placed;
      const known = customer.firstOrder;
      const key = [placed, Date.parse(order.processedAt), order.id];
      const isEarlier = known === null || key[0] < known.key[0]
        || (key[0] === known.key[0] && (key[1] < known.key[1] || (key[1] === known.key[1] && key[2] < known.key[2])));
      if (isEarlier) customer.firstOrder = { key, day: placed, currency: order.currency };
    }
    if (order.currency !== this.currency) {
      if (counts) this.of(placed).foreign += 1;
      return;
    }
    const ofCustomer = (day) => entry(customer.days, day, () => ({ orders: 0, sums: empty() }));
    if (counts) {
      this.of(placed).sums.orders += 1n;
      if (customer) {
        this.of(placed).customers.add(order.customer);
        ofCustomer(placed).orders += 1;
      } else {
        this.read.guests += 1;
      }
    }
    for (const agreement of order.agreements) {
      this.read.agreements += 1;
      const day = agreement.reason === "ORDER" ? placed : this.day(agreement.happenedAt);
      const unchanged = unchangedLines(agreement);
      for (const sale of agreement.sales) {
        this.read.sales += 1;
        const adds = worth(sale, agreement.reason, unchanged);
        if (adds === null) continue;
        // Money is dated by its event; what was placed belongs to the order's day.
        add(this.of(day).sums, adds);
        if (customer) add(ofCustomer(day).sums, adds);
      }
    }
  }

  figures(from, to) {
    const sums = empty();
    const customers = new Set();
    let foreign = 0;
    for (const [day, one] of this.days) {
      if (day < from || day > to) continue;
      add(sums, one.sums);
      for (const customer of one.customers) customers.add(customer);
      foreign += one.foreign;
    }
    let fresh = 0;
    let returning = 0;
    for (const id of customers) {
      const customer = this.customers.get(id);
      if (customer.first >= from && customer.first <= to) fresh += 1;
      // An order in the range that is not the first order ever.
      let orders = 0;
      for (const [day, one] of customer.days) if (day >= from && day <= to) orders += one.orders;
      const { day, currency } = customer.firstOrder;
      const holdsFirst = currency === this.currency && day >= from && day <= to;
      if (orders > (holdsFirst ? 1 : 0)) returning += 1;
    }
    return {
      ...sums,
      netSales: sums.grossSales - sums.discounts - sums.returns,
      totalSales: spent(sums),
      averageOrderValue: average(sums.placed, sums.orders, this.decimals),
      customers: BigInt(customers.size),
      newCustomers: BigInt(fresh),
      returningCustomers: BigInt(returning),
      foreign,
    };
  }

  /** What each customer ordered and spent; those who did neither are not among them. The greatest first. */
  spenders(from, to) {
    const found = [];
    for (const [id, customer] of this.customers) {
      let [orders, total] = [0, 0n];
      for (const [day, one] of customer.days) {
        if (day < from || day > to) continue;
        orders += one.orders;
        total += spent(one.sums);
      }
      if (orders > 0 || total > 0n) found.push({ id: String(id), orders, total });
    }
    return found.sort((one, other) => (one.total < other.total ? 1 : one.total > other.total ? -1 : 0));
  }
}

// ---- the comparison

const compared = { figures: 0, overviews: 0, days: 0, months: 0, rankings: 0, places: 0 };
const differences = [];

function compare(where, what, api, own) {
  compared.figures += 1;
  if (api !== own) differences.push(`${where}: ${what}: the API says ${api}, recomputed ${own}`);
}

function compareMoney(where, what, money, own, currency) {
  compare(where, what, shown(amount(money.amount)), shown(own));
  if (money.currencyCode !== currency) differences.push(`${where}: ${what} is in ${money.currencyCode}, not in ${currency}`);
}

function compareMetrics(where, metrics, own, currency) {
  for (const name of COUNTS) compare(where, name, String(metrics[name]), String(own[name]));
  for (const name of MONEY) compareMoney(where, name, metrics[name], own[name], currency);
  const rate = metrics.returningCustomerRate;
  // The one figure that is no decimal: it must be this share to the last place that matters.
  const share = rate === null ? null : Math.round(rate * Number(own.customers) * 1e6) / 1e6;
  const expected = own.customers === 0n ? null : Number(own.returningCustomers);
  compare(where, "returningCustomerRate × customers", String(share), String(expected));
}

const METRICS = `metrics { ${COUNTS.join(" ")} returningCustomerRate ${MONEY.map((name) => `${name} { amount currencyCode }`).join(" ")} }`;

async function ask({ api, token }, query, variables) {
  const response = await fetch(api, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  if (body.errors) throw new Error(`${query}: ${JSON.stringify(body.errors)}`);
  return body.data;
}

const between = (from, to) => ({ between: { from, to } });

function plus(day, days) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

function* pieces(from, to) {
  for (let start = from; start <= to; start = plus(start, DAYS_AT_ONCE)) {
    const end = plus(start, DAYS_AT_ONCE - 1);
    yield [start, end < to ? end : to];
  }
}

/** A day held inside a range. */
const within = (day, from, to) => (day < from ? from : day > to ? to : day);

async function compareOverview(given, store, range, from, to, where) {
  const query = `query ($range: DateRangeInput) { overview(range: $range) { ${METRICS} totalCustomers ordersInOtherCurrencies } }`;
  const { overview } = await ask(given, query, { range });
  const own = store.figures(from, to);
  compareMetrics(where, overview.metrics, own, store.currency);
  compare(where, "ordersInOtherCurrencies", overview.ordersInOtherCurrencies, own.foreign);
  compare(where, "totalCustomers", overview.totalCustomers, store.known);
  compared.overviews += 1;
}

async function compareSeries(given, store, from, to) {
  const query = `query ($range: DateRangeInput, $interval: Interval!) { ordersByDate(range: $range, interval: $interval) { date ${METRICS} } }`;
  for (const [start, end] of pieces(from, to)) {
    const days = await ask(given, query, { range: between(start, end), interval: "DAY" });
    let expected = start;
    for (const point of days.ordersByDate) {
      compare(`the series from ${start}`, "day", point.date, expected);
      compareMetrics(point.date, point.metrics, store.figures(point.date, point.date), store.currency);
      expected = plus(expected, 1);
      compared.days += 1;
    }
    compare(`the series from ${start}`, "the day after its last", expected, plus(end, 1));
  }
  const months = await ask(given, query, { range: between(from, to), interval: "MONTH" });
  let expected = `${from.slice(0, 7)}-01`;
  for (const point of months.ordersByDate) {
    compare("the months", "month", point.date, expected);
    const next = `${plus(point.date, 31).slice(0, 7)}-01`;
    const own = store.figures(within(point.date, from, to), within(plus(next, -1), from, to));
    compareMetrics(`the month of ${point.date}`, point.metrics, own, store.currency);
    expected = next;
    compared.months += 1;
  }
  compare("the months", "after the last", expected > to, true);
}

async function compareRanking(given, store, range, from, to, where) {
  const query = `query ($range: DateRangeInput) { topCustomers(first: 100, range: $range) {
    rank orders totalSpent { amount currencyCode } customer { shopifyId ordersCount totalSpent { amount currencyCode } } } }`;
  const { topCustomers } = await ask(given, query, { range });
  const own = store.spenders(from, to);
  const byId = new Map(own.map((one) => [one.id, one]));
  const ever = new Map(range ? store.spenders("0000", "9999").map((one) => [one.id, one]) : byId);
  compare(where, "how many", topCustomers.length, Math.min(100, own.length));
  compare(where, "different customers", new Set(topCustomers.map((place) => place.customer.shopifyId)).size, topCustomers.length);
  topCustomers.forEach((place, index) => {
    const at = `${where}, place ${index + 1}, customer ${place.customer.shopifyId}`;
    compare(at, "rank", place.rank, index + 1);
    // Whoever is equal may stand in any order: the amounts of the places are one thing, each customer's another.
    compareMoney(at, "the amount of the place", place.totalSpent, own[index]?.total ?? 0n, store.currency);
    const customer = byId.get(place.customer.shopifyId) ?? { orders: 0, total: 0n };
    compareMoney(at, "totalSpent", place.totalSpent, customer.total, store.currency);
    compare(at, "orders", place.orders, customer.orders);
    const whole = ever.get(place.customer.shopifyId) ?? { orders: 0, total: 0n };
    compareMoney(at, "totalSpent of all time", place.customer.totalSpent, whole.total, store.currency);
    compare(at, "ordersCount", place.customer.ordersCount, whole.orders);
    compared.places += 1;
  });
  compared.rankings += 1;
}

/** Ranges of every kind: each year and its months' ends, one day, one week, and what lies outside of everything. */
function ranges(days) {
  const [first, last] = [days[0], days[days.length - 1]];
  const middle = days[Math.floor(days.length / 2)];
  const found = [
    [first, last], [middle, middle], [middle, plus(middle, 6)], [plus(last, -29), last], [plus(last, -89), last],
    [first, middle], [plus(middle, 1), last], [plus(first, -30), plus(first, -1)], [plus(last, 1), plus(last, 30)],
  ];
  for (let year = Number(first.slice(0, 4)); year <= Number(last.slice(0, 4)); year += 1) found.push([`${year}-01-01`, `${year}-12-31`]);
  return found;
}

async function main() {
  const given = options();
  const store = await Store.read(`${given.simulator}/control/shops/${given.shop}/export`);
  const days = [...store.days.keys()].sort();
  console.log(`${given.shop} (${store.currency}) holds`, JSON.stringify(store.read), `on ${days.length} days from ${days[0]} to ${days.at(-1)}`);
  if (days.length === 0) throw new Error("the store is empty: there is nothing to compare");
  await compareOverview(given, store, { preset: "ALL_TIME" }, "0000", "9999", "all time");
  for (const [from, to] of ranges(days)) await compareOverview(given, store, between(from, to), from, to, `${from} to ${to}`);
  await compareSeries(given, store, days[0], days.at(-1));
  await compareRanking(given, store, null, "0000", "9999", "top customers of all time");
  for (const [from, to] of ranges(days).slice(1, 7)) await compareRanking(given, store, between(from, to), from, to, `top customers ${from} to ${to}`);
  console.log("compared", JSON.stringify(compared));
  for (const difference of differences.slice(0, 200)) console.log(difference);
  console.log(differences.length === 0 ? "no difference" : `${differences.length} differences`);
  process.exitCode = differences.length === 0 ? 0 : 1;
}

await main();
