// A merchant uses the dashboard in a real browser, against the real program and a simulated store:
//   node tests/dashboard.mjs PROGRAM STORE LABEL TOKEN SECRET SHOTS
// PROGRAM and STORE are URLs; STORE is the control API of the simulated store. Prints each step and stops at the first
// failure.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { browserPath, open, shots, start, violations } from './browser.mjs';

const [program, control, label, storeToken, secret, directory] = process.argv.slice(2);
const email = 'merchant@dashboard.example';
const password = 'a passphrase for the dashboard';
const shot = shots(directory);
const did = (what) => console.log(what);

// The API's own response, to compare the page with.
const ask = async (query, variables, token) => {
  const response = await fetch(`${program}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  return body.data;
};
const signIn = async () => {
  const query = `mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) { session { token } } }`;
  return (await ask(query, { email, password })).login.session.token;
};
const store = async (path, body) => {
  const response = await fetch(`${control}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
};

const MONEY = ['totalSales', 'netSales', 'averageOrderValue', 'returns'];
const NUMBERS = ['orders', 'unitsSold', 'customers', 'returningCustomerRate'];
const figuresOf = async (range, token) => {
  const fields = [...MONEY.map((name) => `${name} { amount }`), ...NUMBERS].join(' ');
  const query = `query ($range: DateRangeInput!) { overview(range: $range) { metrics { ${fields} } } }`;
  const { metrics } = (await ask(query, { range }, token)).overview;
  return Object.fromEntries(
    [...MONEY, ...NUMBERS].map((name) => [name, metrics[name]?.amount ?? String(metrics[name] ?? '')]),
  );
};
const shownFigures = (page) =>
  page.$$eval('[data-figure]', (tiles) =>
    Object.fromEntries(tiles.map((tile) => [tile.dataset.figure, tile.querySelector('data').value])),
  );
/** Waits until the page shows the API's figures. On a timeout, fails with both. */
const equalsTheApi = async (page, range, token) => {
  const expected = await figuresOf(range, token);
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (JSON.stringify(Object.entries(await shownFigures(page)).toSorted()) === JSON.stringify(Object.entries(expected).toSorted())) break;
    await page.waitForTimeout(100);
  }
  assert.deepEqual(await shownFigures(page), expected);
};
const noViolations = async (page, where) => assert.deepEqual(await violations(page), [], where);
const fits = async (page, where) => {
  const [inner, whole] = await page.evaluate(() => [window.innerWidth, document.documentElement.scrollWidth]);
  assert.ok(whole <= inner, `${where}: ${whole} pixels in a window of ${inner}`);
};
const inBothThemes = async (page, name) => {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(350);
    await noViolations(page, `${name}, ${scheme}`);
    await shot(page, `${name}-${scheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
};
const choose = async (page, name) => {
  await page.locator('.ranges .menu > button').click();
  await page.getByRole('button', { name, exact: true }).click();
};

// The size budget.
const dist = new URL('../dist/', import.meta.url);
const scripts = readdirSync(dist).filter((name) => name.endsWith('.js.gz'));
const size = scripts.reduce((sum, name) => sum + statSync(new URL(name, dist)).size, 0);
assert.ok(scripts.length > 0 && size < 200 * 1024, `${size} bytes of compressed JavaScript`);
assert.ok(!readFileSync(new URL('index.html', dist), 'utf8').includes('<script>'));
did(`${Math.round(size / 1024)} KB of compressed JavaScript`);

if (!browserPath() && !process.env.CI) {
  did('skipped: there is no Chromium or Chrome here (CHROMIUM names one)');
  process.exit();
}
const browser = await start();
const { context, page, faults } = await open(browser, program);
// The server always has the documents of dist/documents.json, also where only registered ones run: the page must send
// no others. It sends mutations as text, and queries by hash with GET.
const registered = new Set(JSON.parse(readFileSync(new URL('documents.json', dist), 'utf8')));
const registeredHashes = new Set([...registered].map((text) => createHash('sha256').update(text).digest('hex')));
const mustBeRegistered = (text) => {
  const query = text && (JSON.parse(text).query ?? JSON.parse(text).payload?.query);
  if (query && !registered.has(query)) faults.push(`not registered: ${query}`);
};
/** The name of the operation that a GET to /graphql is for. */
const queryIn = (url) => {
  const { pathname, searchParams } = new URL(url);
  return pathname === '/graphql' ? searchParams.get('operationName') : null;
};
page.on('request', (request) => {
  if (request.url() === `${program}/graphql`) mustBeRegistered(request.postData());
  if (!queryIn(request.url())) return;
  const { searchParams } = new URL(request.url());
  const hash = JSON.parse(searchParams.get('extensions') ?? '{}').persistedQuery?.sha256Hash;
  if (searchParams.has('query') || !registeredHashes.has(hash)) faults.push(`not by hash: ${request.url()}`);
});
/** The queries that a page sends during some work, each with the status of the response. */
const queriesDuring = async (page, work) => {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const names = new Map();
  const statuses = [];
  session.on('Network.requestWillBeSent', ({ requestId, request }) => names.set(requestId, queryIn(request.url)));
  session.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
    if (names.get(requestId)) statuses.push(`${names.get(requestId)} ${statusCode}`);
  });
  await work();
  await session.detach();
  return statuses.toSorted();
};
page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => mustBeRegistered(payload)));
process.on('uncaughtException', async (error) => {
  console.error(error, faults);
  await shot(page, 'failed').catch(() => {});
  process.exit(1);
});

// Signing up.
await page.goto(program);
await page.waitForURL('**/sign-in');
await inBothThemes(page, 'sign-in');
await page.getByLabel('Email address').fill(email);
await page.getByLabel('Password').fill('not the password');
await page.getByRole('button', { name: 'Sign in' }).click();
await page.getByText('Incorrect email or password.').waitFor();
await page.getByRole('link', { name: 'Connect a store' }).click();
await inBothThemes(page, 'sign-up');
await page.getByLabel('Email address').fill(email);
await page.getByLabel('Password').fill('password');
await page.getByLabel('Permanent domain').fill('no store of this name');
await page.getByText('Custom app', { exact: true }).click();
await page.getByPlaceholder('shpat_…').fill('shpat_wrong');
await page.getByLabel('API secret key').fill(secret);
await page.getByRole('button', { name: 'Connect store' }).click();
await page.getByText('Please fix the highlighted fields.').waitFor();
assert.equal(await page.locator('.field.is-wrong').count(), 2);
await inBothThemes(page, 'sign-up-wrong');
await page.getByLabel('Password').fill(password);
await page.getByLabel('Permanent domain').fill(label);
await page.getByRole('button', { name: 'Connect store' }).click();
await page.locator('.credentials > .wrong').waitFor();
await page.getByPlaceholder('shpat_…').fill(storeToken);
await page.getByRole('button', { name: 'Connect store' }).click();
did('signed up');

// The first sync.
await page.getByRole('heading', { name: /^Importing / }).waitFor();
await page.locator('.first progress').first().waitFor();
await inBothThemes(page, 'first-sync');
await page.locator('[data-figure]').first().waitFor({ timeout: 60_000 });
did('synced');

// The figures are the API's.
const token = await signIn();
await equalsTheApi(page, { preset: 'LAST_30_DAYS' }, token);
await page.locator('.fresh').getByText('Live').waitFor();
await inBothThemes(page, 'dashboard');
did('the figures are the API’s');

// A page load sends each of the two operations once. The second time both responses are 304.
const loaded = async () => {
  await page.reload();
  await page.locator('[data-figure]').first().waitFor();
  await page.waitForTimeout(1_000);
};
await loaded();
assert.deepEqual(await queriesDuring(page, loaded), ['Account 304', 'Figures 304']);
// The account and the figures appear together.
const slow = async (name) => {
  await page.route(
    (url) => queryIn(url) === name,
    async (route) => {
      await new Promise((resolve) => { setTimeout(resolve, 600); });
      await route.continue();
    },
  );
  await page.reload();
  await page.locator('.bones').first().waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.locator('[data-figure]').count(), 0, name);
  await page.locator('[data-figure]').first().waitFor();
  assert.equal(await page.locator('.store .title').textContent(), 'Mill Lane Goods');
  await page.unrouteAll();
};
await slow('Account');
await slow('Figures');
did('two operations');

// Another range, from the menu, by keyboard and from the URL.
await choose(page, 'Last 90 days');
await page.waitForURL('**/?range=last-90-days');
await equalsTheApi(page, { preset: 'LAST_90_DAYS' }, token);
await choose(page, 'Last 365 days');
await equalsTheApi(page, { preset: 'LAST_365_DAYS' }, token);
await page.locator('[aria-label="Interval"] [aria-pressed="true"]').getByText('Week').waitFor();
await page.keyboard.press('m');
await page.waitForURL('**/?range=last-365-days&by=month');
await page.locator('[aria-label="Interval"] [aria-pressed="true"]').getByText('Month').waitFor();
await page.goBack();
await page.waitForURL('**/?range=last-365-days');
const ago = (count) => new Date(Date.now() - count * 86_400_000).toISOString().slice(0, 10);
const days = { from: ago(300), to: ago(240) };
await page.goto(`${program}/?from=${days.from}&to=${days.to}`);
await page.locator('[data-figure]').first().waitFor();
await equalsTheApi(page, { between: days }, token);
did('other ranges');

// Compared with the year before.
await page.getByLabel('Compare with').selectOption('Previous year');
await page.waitForURL(`**/?from=${days.from}&to=${days.to}&compare=previous-year`);
const [{ total }] = await Promise.all([
  ask(
    `query ($range: DateRangeInput!) { total: overview(range: $range, compareTo: PREVIOUS_YEAR) {
      previous { range { from to } metrics { orders } } } }`,
    { range: { between: days } },
    token,
  ),
  page.locator('.key .then').waitFor(),
]);
const before = total.previous.metrics.orders.toLocaleString('en-GB');
await page.locator('[data-figure="orders"] .before', { hasText: before }).waitFor();
await page.locator('[data-figure="orders"]').click();
await page.waitForURL('**&show=orders');
await page.getByRole('button', { name: 'Show as table' }).click();
const summed = await page.$$eval('.scroll tbody tr td:first-of-type', (cells) =>
  cells.reduce((sum, cell) => sum + Number(cell.textContent.replaceAll(',', '')), 0),
);
assert.equal(summed, Number((await shownFigures(page)).orders));
await inBothThemes(page, 'compared');
await page.getByRole('button', { name: 'Hide table' }).click();
did('compared');

// The chart by keyboard.
const chart = page.getByRole('slider');
await chart.focus();
await page.keyboard.press('Home');
await page.keyboard.press('ArrowRight');
const [year] = ago(299).split('-');
assert.match(await chart.getAttribute('aria-valuetext'), new RegExp(`${year}: \\d+; .* ${year - 1}: \\d+$`));

// The query behind a card, its data, and GraphiQL.
const menu = page.getByRole('button', { name: 'Top customers: query and data' });
await menu.click();
await noViolations(page, 'menu');
await page.getByRole('button', { name: 'Show the query' }).click();
const dialog = page.getByRole('dialog');
const query = await dialog.getByLabel('Query', { exact: true }).textContent();
const variables = JSON.parse(await dialog.getByLabel('Variables').textContent());
const { topCustomers } = await ask(query, variables, token);
await noViolations(page, 'dialog');
await shot(page, 'query');
await dialog.getByRole('button', { name: 'Close' }).click();
await menu.click();
const [download] = await Promise.all([
  page.waitForEvent('download'),
  page.getByRole('button', { name: 'Download as CSV' }).click(),
]);
assert.equal(download.suggestedFilename(), `top-customers-${days.from}-${days.to}.csv`);
const rows = readFileSync(await download.path(), 'utf8').trim().split('\r\n');
assert.equal(rows.length, topCustomers.length + 1);
const [first] = topCustomers;
assert.ok(rows[1].endsWith(`,${first.orders},${first.totalSpent.amount},${first.totalSpent.currencyCode}`), rows[1]);
await menu.click();
const [explorer] = await Promise.all([
  context.waitForEvent('page'),
  page.getByRole('link', { name: 'Open in GraphiQL' }).click(),
]);
await explorer.waitForFunction(() => document.querySelector('header input')?.value.startsWith('eyJ'));
await explorer.locator('.graphiql-query-editor').getByText('TopCustomers').first().waitFor();
await explorer.close();
did('query, CSV and GraphiQL');

// An order arrives while the page is open.
await page.goto(program);
await equalsTheApi(page, { preset: 'LAST_30_DAYS' }, token);
const orders = Number((await shownFigures(page)).orders);
const placed = await store('/orders', { lines: [{ title: 'Lamp', price: '20.00', quantity: 2 }] });
const arrived = page.locator(`[data-order="${placed.name}"].arrived`);
await arrived.waitFor();
assert.match(await arrived.textContent(), /£40\.00/);
assert.equal(Number((await shownFigures(page)).orders), orders + 1);
await equalsTheApi(page, { preset: 'LAST_30_DAYS' }, token);
did('a live order arrived');

// Scripts cannot read a long-lived token, and a reloaded page is still signed in.
assert.equal(await page.evaluate(() => document.cookie), '');
const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
assert.doesNotMatch(kept, /eyJ|xbr|token/i);
const [cookie] = (await context.cookies(`${program}/graphql`)).filter(({ name }) => name === 'xboard_session');
assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/graphql']);
// Five tabs at once refresh the session one at a time.
const tabs = await Promise.all(
  Array.from({ length: 5 }, async () => {
    const tab = await context.newPage();
    await tab.goto(program);
    return tab;
  }),
);
for (const tab of tabs) {
  await tab.locator('[data-figure]').first().waitFor();
  await tab.close();
}
await page.reload();
await page.locator('[data-figure]').first().waitFor();
did('still signed in, in six tabs');

// Errors say what to do.
const answer = (body, status = 200) => (route) =>
  queryIn(route.request().url()) === 'Figures'
    ? route.fulfill({ status, contentType: 'application/graphql-response+json', body: JSON.stringify(body) })
    : route.continue();
const failing = async (handler, words, name) => {
  await page.route('**/graphql?*', handler);
  await choose(page, 'Last 7 days');
  await page.getByText(words).waitFor();
  await inBothThemes(page, name);
  await page.unroute('**/graphql?*');
  await page.getByText(words).waitFor({ state: 'detached', timeout: 40_000 });
  await equalsTheApi(page, { preset: 'LAST_7_DAYS' }, token);
  await choose(page, 'Last 30 days');
  await equalsTheApi(page, { preset: 'LAST_30_DAYS' }, token);
};
const refused = (code, extensions) => ({ errors: [{ message: 'No.', extensions: { code, ...extensions } }] });
await failing(answer(refused('THROTTLED', { retryAfterSeconds: 2 }), 429), 'Retrying in 2 seconds', 'throttled');
await failing(
  (route) => (queryIn(route.request().url()) === 'Figures' ? route.abort() : route.continue()),
  'Can’t reach the server',
  'unreachable',
);
did('throttled, unreachable');
await page.goto(`${program}/?from=2001-01-01&to=2001-01-31`);
await page.getByText('No sales in this period').waitFor();
await inBothThemes(page, 'empty');
await page.getByRole('button', { name: 'Show all time' }).click();
await equalsTheApi(page, { preset: 'ALL_TIME' }, token);
await inBothThemes(page, 'all-time');
did('empty');

// The store rejects the credentials; the owner replaces them.
await store('/access', { staticToken: 'shpat_renewed' });
await page.getByRole('button', { name: 'Sync now' }).click();
await page.getByText('Shopify rejected the credentials').first().waitFor();
await page.locator('.fresh').getByText('Reconnect').waitFor();
await inBothThemes(page, 'reauthorise');
await page.getByRole('link', { name: 'Replace credentials' }).click();
await page.getByRole('heading', { name: 'New credentials' }).waitFor();
await inBothThemes(page, 'settings');
await page.getByText('Custom app', { exact: true }).click();
await page.getByPlaceholder('shpat_…').fill('shpat_renewed');
await page.getByLabel('API secret key').fill(secret);
await page.getByRole('button', { name: 'Replace credentials' }).click();
await page.locator('[data-figure]').first().waitFor();
await page.getByText('Shopify rejected the credentials').first().waitFor({ state: 'detached' });
did('authorised again');

// A second store, and back to the first.
const shops = control.slice(0, control.lastIndexOf('/'));
await fetch(shops, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ label: 'second-store', currency: 'JPY', timeZone: 'Asia/Tokyo' }),
}).then((response) => assert.ok(response.ok));
const stores = page.locator('.store .shown');
await stores.click();
await noViolations(page, 'stores');
await page.getByRole('link', { name: 'Connect another store' }).click();
await inBothThemes(page, 'connect');
await page.getByLabel('Permanent domain').fill('https://second-store.myshopify.com/admin');
await page.getByText('Custom app', { exact: true }).click();
await page.getByPlaceholder('shpat_…').fill('shpat_second-store');
await page.getByRole('button', { name: 'Connect store' }).click();
await page.locator('.store').getByText('JPY').waitFor();
await page.locator('[data-figure]').first().waitFor();
await page.getByText('No orders yet').waitFor();
await inBothThemes(page, 'new-store');
await stores.click();
await page.getByRole('button', { name: 'Mill Lane Goods' }).click();
await page.locator('.store').getByText('GBP').waitFor();
await equalsTheApi(page, { preset: 'LAST_30_DAYS' }, token);
await page.reload();
await page.locator('.store').getByText('GBP').waitFor();
did('a second store');

// A merchant installs the operator's app in a third store, and claims it.
const sentOn = async (address, cookie) => {
  const response = await fetch(address, { redirect: 'manual', headers: cookie ? { cookie } : {} });
  return { to: response.headers.get('location'), cookie: response.headers.getSetCookie()[0]?.split(';')[0], response };
};
const asked = await sentOn(`${program}/oauth/install?shop=installed-store.myshopify.com`);
const agreed = await sentOn(asked.to);
const ended = await (await sentOn(agreed.to, asked.cookie)).response.text();
const [, claim] = ended.match(/href="(\/claim#[^"]+)"/);
await page.goto(`${program}${claim}`);
await page.getByRole('heading', { name: 'XBoard is installed' }).waitFor();
assert.equal(page.url(), `${program}/claim`);
await inBothThemes(page, 'claim');
await page.getByRole('button', { name: 'Claim this store' }).click();
await page.locator('.store .title').getByText('installed-store').waitFor();
await page.goto(`${program}${claim}`);
await page.getByRole('button', { name: 'Claim this store' }).click();
await page.locator('.wrong').first().waitFor();
await page.goto(program);
await stores.click();
await page.getByRole('button', { name: 'Mill Lane Goods' }).click();
await page.locator('.store').getByText('GBP').waitFor();
did('an installed store');

// A phone, a tablet and a wide screen.
for (const [name, width, height] of [
  ['phone', 390, 844],
  ['small-phone', 320, 640],
  ['tablet', 820, 1180],
  ['wide', 1920, 1080],
]) {
  await page.setViewportSize({ width, height });
  await page.waitForTimeout(300);
  await fits(page, name);
  await inBothThemes(page, `dashboard-${name}`);
}
await page.setViewportSize({ width: 390, height: 844 });
await page.locator('.ranges .menu > button').click();
await fits(page, 'phone, choosing days');
await noViolations(page, 'phone, choosing days');
await shot(page, 'phone-days');
await page.keyboard.press('Escape');
await page.setViewportSize({ width: 1440, height: 900 });
did('every width');

// A session that ended elsewhere: the page says so, and restores its URL after sign-in.
await page.goto(`${program}/?range=last-7-days`);
await page.locator('[data-figure]').first().waitFor();
await context.clearCookies();
await page.reload();
await page.getByText('Your session has ended').waitFor();
await inBothThemes(page, 'expired');
await page.getByLabel('Email address').fill(email);
await page.getByLabel('Password').fill(password);
const began = Date.now();
await page.getByRole('button', { name: 'Sign in' }).click();
await page.waitForURL('**/?range=last-7-days');
await page.locator('[data-figure]').first().waitFor();
did(`signed in again, figures after ${Date.now() - began} ms`);

// Signing out, in every tab.
const other = await context.newPage();
await other.goto(program);
await other.locator('[data-figure]').first().waitFor();
await page.getByRole('button', { name: 'Account and appearance' }).click();
await page.getByLabel('Dark').check();
assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
await noViolations(page, 'account');
await page.getByRole('button', { name: 'Sign out' }).click();
await page.waitForURL('**/sign-in*');
await other.waitForURL('**/sign-in*');
assert.deepEqual(await context.cookies(`${program}/graphql`), []);
await page.goto(program);
await page.waitForURL('**/sign-in');
assert.equal(await page.getByText('Your session has ended').count(), 0);
await page.goto(`${program}${claim}`);
await page.getByLabel('Email address').waitFor();
await inBothThemes(page, 'claim-new');
// Signing in keeps the claim code.
await page.getByRole('link', { name: 'Sign in' }).click();
await page.getByLabel('Email address').fill(email);
await page.getByLabel('Password').fill(password);
await page.getByRole('button', { name: 'Sign in' }).click();
await page.getByRole('button', { name: 'Claim this store' }).waitFor();
assert.equal(await page.getByLabel('Code').inputValue(), claim.split('#')[1]);
did('signed out');

assert.deepEqual(faults, []);
await browser.close();
did('all of it');
