// The packages graphql-ws and graphql-sse, unchanged, against the program: subscribing, pings, completion, errors,
// the end of a session and of a token, and going on after both.
// node sockets.mjs '{"url": …, "control": …, "email": …, "password": …, "expiring": …}'
import assert from 'node:assert/strict';
import { createClient as createSocket } from 'graphql-ws';
import { createClient as createEvents } from 'graphql-sse';
import WebSocket from 'ws';

const { url, control, email, password, expiring } = JSON.parse(process.argv[2]);
const socketUrl = `${url.replace('http', 'ws')}/ws`;

async function ask(query, variables, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

async function signIn() {
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { session { token } } }';
  return (await ask(query, { input: { email, password } })).login.session.token;
}

let placed = 0;
// An order in the store, and the sync that finds it. Answers the run.
async function order(token) {
  placed += 1;
  const response = await fetch(`${control}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ lines: [{ title: `Lamp ${placed}`, price: '20.00', quantity: 1 }] }),
  });
  assert.ok(response.ok, await response.text());
  const { sync } = await ask('mutation { sync { syncRun { id } } }', {}, token);
  return sync.syncRun.id;
}

// The answers of a subscription: `next` waits for the next one, `over` for its end.
function follow(client, payload) {
  const answers = [];
  let wake = () => {};
  let end;
  const over = new Promise((resolve) => (end = resolve));
  const dispose = client.subscribe(payload, {
    next: (answer) => {
      answers.push(answer);
      wake();
    },
    error: (error) => end({ error }),
    complete: () => end({ complete: true }),
  });
  const next = async () => {
    while (answers.length === 0) await new Promise((resolve) => (wake = resolve));
    return answers.shift();
  };
  return { next, over, dispose, left: answers };
}

const done = (what) => console.log(`ok ${what}`);
const CHANGED = 'subscription { storeChanged { days latestOrder { name } } }';
const PROGRESS = 'subscription ($id: ID) { syncProgress(id: $id) { status } }';
const connection = (token, more = {}) =>
  createSocket({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazy: true,
    ...more,
  });

async function changesArriveAndPingsAreAnswered() {
  const token = await signIn();
  let pongs = 0;
  const client = connection(token, { keepAlive: 50, on: { pong: (received) => received && (pongs += 1) } });
  const changes = follow(client, { query: CHANGED });
  // Over a socket every operation is carried out, not only subscriptions.
  const shown = follow(client, { query: '{ me { email } }' });
  assert.deepEqual((await shown.next()).data, { me: { email } });
  assert.deepEqual(await shown.over, { complete: true });
  await order(token);
  const { storeChanged } = (await changes.next()).data;
  assert.equal(storeChanged.days.length, 1);
  assert.ok(storeChanged.latestOrder.name);
  while (pongs < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  changes.dispose();
  assert.deepEqual(await changes.over, { complete: true });
  await client.dispose();
  done('graphql-ws: answers, pings, completion by the client');
}

async function aRunIsFollowedToItsEnd() {
  const token = await signIn();
  const client = connection(token);
  const id = await order(token);
  const run = follow(client, { query: PROGRESS, variables: { id } });
  assert.deepEqual(await run.over, { complete: true });
  assert.equal(run.left.at(-1).data.syncProgress.status, 'SUCCEEDED');
  await client.dispose();
  done('graphql-ws: completion by the server');
}

async function errorsAreToldAndLeaveTheConnectionOpen() {
  const client = connection(await signIn());
  const kept = follow(client, { query: CHANGED });
  const codes = async (payload) => {
    const { error } = await follow(client, payload).over;
    return error.map(({ extensions }) => extensions.code);
  };
  assert.deepEqual(await codes({ query: 'subscription { nonsense }' }), ['BAD_USER_INPUT']);
  assert.deepEqual(await codes({ query: 'subscription {' }), ['BAD_USER_INPUT']);
  const foreign = follow(client, { query: PROGRESS, variables: { id: 'run_foreign' } });
  assert.equal((await foreign.next()).errors[0].extensions.code, 'NOT_FOUND');
  assert.deepEqual(await foreign.over, { complete: true });
  await order(await signIn());
  assert.ok((await kept.next()).data.storeChanged);
  await client.dispose();
  done('graphql-ws: errors end their operation and no other');
}

async function whoIsNobodyIsTurnedAway() {
  for (const [connectionParams, code] of [
    [{ authorization: 'Bearer forged' }, 4403],
    [undefined, 4403],
  ]) {
    const client = connection('', { connectionParams });
    const { error } = await follow(client, { query: CHANGED }).over;
    assert.equal(error.code, code);
    await client.dispose();
  }
  done('graphql-ws: a forged token and none close with 4403');
}

async function anEndedTokenClosesTheConnection() {
  const client = connection(expiring);
  const { error } = await follow(client, { query: CHANGED }).over;
  assert.deepEqual([error.code, error.reason], [4403, 'The token has ended']);
  await client.dispose();
  done('graphql-ws: the end of a token closes with 4403');
}

async function aClientWithANewTokenGoesOn() {
  const tokens = [];
  let closed = 0;
  const client = createSocket({
    url: socketUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 5,
    retryWait: () => Promise.resolve(),
    connectionParams: async () => {
      tokens.push(await signIn());
      return { authorization: `Bearer ${tokens.at(-1)}` };
    },
    on: { closed: () => (closed += 1) },
  });
  const changes = follow(client, { query: CHANGED });
  await order(await signIn());
  assert.ok((await changes.next()).data.storeChanged);
  await ask('mutation { logout { userErrors { message } } }', {}, tokens[0]);
  while (tokens.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  // It has signed in anew; when it listens again is not told, so orders come until one is heard.
  let heard;
  const next = changes.next().then((answer) => (heard = answer));
  while (!heard) {
    await order(await signIn());
    await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 300))]);
  }
  assert.ok(heard.data.storeChanged);
  assert.equal(closed, 1);
  await client.dispose();
  done('graphql-ws: after the end of a session the client goes on with a new one');
}

async function serverSentEvents() {
  const token = await signIn();
  const events = (bearer) =>
    createEvents({ url, retryAttempts: 0, headers: bearer && { authorization: `Bearer ${bearer}` } });
  const client = events(token);
  const changes = follow(client, { query: CHANGED });
  // The server listens before it answers; the answer's headers are not told, so orders come until one is heard.
  let heard;
  const next = changes.next().then((answer) => (heard = answer));
  while (!heard) {
    await order(token);
    await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 300))]);
  }
  assert.equal(heard.data.storeChanged.days.length, 1);
  changes.dispose();

  const run = follow(client, { query: PROGRESS, variables: { id: await order(token) } });
  assert.deepEqual(await run.over, { complete: true });
  assert.equal(run.left.at(-1).data.syncProgress.status, 'SUCCEEDED');
  const shown = follow(client, { query: '{ me { email } }' });
  assert.deepEqual(await shown.over, { complete: true });
  assert.deepEqual(shown.left[0].data, { me: { email } });
  done('graphql-sse: answers and completion');

  const wrong = follow(client, { query: 'subscription { nonsense }' });
  assert.deepEqual(await wrong.over, { complete: true });
  assert.equal(wrong.left[0].errors[0].extensions.code, 'BAD_USER_INPUT');
  const nobody = follow(events(), { query: CHANGED });
  assert.deepEqual(await nobody.over, { complete: true });
  assert.equal(nobody.left[0].errors[0].extensions.code, 'UNAUTHENTICATED');
  const forged = await follow(events('forged'), { query: CHANGED }).over;
  assert.equal(forged.error.response.status, 401);
  done('graphql-sse: errors');

  const logged = await signIn();
  const cut = follow(events(logged), { query: CHANGED });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await ask('mutation { logout { userErrors { message } } }', {}, logged);
  assert.equal((await cut.next()).errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.deepEqual(await cut.over, { complete: true });
  done('graphql-sse: the end of a session is told, and completes');

  const single = createEvents({ url, retryAttempts: 0, singleConnection: true, headers: { authorization: `Bearer ${token}` } });
  const { error } = await follow(single, { query: CHANGED }).over;
  assert.equal(error.response.status, 405);
  done('graphql-sse: the single connection mode is refused');
}

// Its token lives for a few seconds only.
const ended = anEndedTokenClosesTheConnection();
await changesArriveAndPingsAreAnswered();
await aRunIsFollowedToItsEnd();
await errorsAreToldAndLeaveTheConnectionOpen();
await whoIsNobodyIsTurnedAway();
await aClientWithANewTokenGoesOn();
await serverSentEvents();
await ended;
process.exit(0);
