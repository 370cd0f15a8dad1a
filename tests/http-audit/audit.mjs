// The GraphQL over HTTP audit: prints a line for each check, and ends with 1 unless all are ok.
// node audit.mjs http://127.0.0.1:3001/graphql
import { auditServer } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}
const results = await auditServer({ url, fetchFn: fetch });
for (const result of results) {
  const reason = result.status === 'ok' ? '' : `: ${result.reason}`;
  console.log(`${result.status} ${result.id} ${result.name}${reason}`);
}
const passed = results.filter((result) => result.status === 'ok').length;
console.log(`${passed} of ${results.length}`);
process.exit(passed === results.length ? 0 : 1);
