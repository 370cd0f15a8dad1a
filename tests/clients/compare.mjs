// What changed between two schemas. Ends with 1 when a change breaks clients, unless the changelog says so: each such
// change has to be named, as the path printed here, under "### Breaking" of what is not yet released.
// node compare.mjs OLD.graphql NEW.graphql CHANGELOG.md
import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const [older, newer, changelog] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'));
if (changelog === undefined) {
  console.error('usage: node compare.mjs OLD.graphql NEW.graphql CHANGELOG.md');
  process.exit(2);
}
const unreleased = changelog.split(/^## /m).find((part) => part.startsWith('[Unreleased]')) ?? '';
const announced = unreleased.split(/^### /m).find((part) => part.startsWith('Breaking')) ?? '';
const changes = await diff(buildSchema(older), buildSchema(newer));
let unannounced = 0;
for (const { criticality, message, path } of changes) {
  const breaks = criticality.level === CriticalityLevel.Breaking;
  const known = breaks && announced.includes(`\`${path}\``);
  if (breaks && !known) unannounced += 1;
  console.log(`${breaks ? (known ? 'breaking, announced' : 'BREAKING') : 'compatible'} ${path}: ${message}`);
}
console.log(`${changes.length} changes, ${unannounced} of them break clients unannounced`);
process.exit(unannounced === 0 ? 0 : 1);
