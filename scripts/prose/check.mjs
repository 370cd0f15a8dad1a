// Checks the length of sentences and the words of the project's prose: the documentation, the descriptions in
// schema.graphql, and the copy of the pages. The rules and the words are in .textlintrc.json.
//
//   node check.mjs            check everything
//   node check.mjs FILE…      check only these files

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, parse, visit } from "graphql";
import { createLinter, loadTextlintrc } from "textlint";
import ts from "typescript";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
process.chdir(here);

/** A stretch of prose and the line of its file on which it begins. */
function piece(line, text) {
  return { line, text };
}

/** The descriptions of a GraphQL schema. */
function fromSchema(source) {
  buildSchema(source);
  const pieces = [];
  visit(parse(source), {
    StringValue(node, key) {
      if (key === "description") {
        pieces.push(piece(node.loc.startToken.line + (node.block ? 1 : 0), node.value));
      }
    },
  });
  return pieces;
}

/** The text that a page shows: JSX text, and string literals that hold more than one word. */
function fromPage(source, name) {
  const kind = extname(name) === ".ts" ? ts.ScriptKind.TS : ts.ScriptKind.TSX;
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, kind);
  const pieces = [];
  const add = (node, text) => {
    const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    pieces.push(piece(line, text.replace(/\s+/g, " ").trim()));
  };
  const look = (node) => {
    if (ts.isImportDeclaration(node)) return;
    if (ts.isJsxAttribute(node) && node.name.getText() === "className") return;
    if (ts.isJsxText(node) && /\p{L} \p{L}/u.test(node.text)) add(node, node.text);
    if (ts.isStringLiteralLike(node) && /\p{L} \p{L}/u.test(node.text)) add(node, node.text);
    ts.forEachChild(node, look);
  };
  look(file);
  return pieces;
}

/** The prose of a file, as pieces; Markdown is checked as it is. */
function piecesOf(path, source) {
  switch (extname(path)) {
    case ".md":
      return [piece(1, source)];
    case ".graphql":
      return fromSchema(source);
    default:
      return fromPage(source, path);
  }
}

function trackedFiles() {
  const patterns = ["*.md", "schema.graphql", "web/*/src/*.ts", "web/*/src/*.tsx", "web/*/src/*.jsx"];
  const listed = execFileSync("git", ["-C", root, "ls-files", "--", ...patterns], { encoding: "utf8" });
  return listed.split("\n").filter((path) => path !== "" && !path.includes("/gql/"));
}

const named = process.argv.slice(2);
const files = named.length > 0 ? named : trackedFiles();
const linter = createLinter({ descriptor: await loadTextlintrc({ configFilePath: join(here, ".textlintrc.json") }) });
let found = 0;
for (const path of files) {
  const source = readFileSync(join(root, path), "utf8");
  for (const { line, text } of piecesOf(path, source)) {
    const { messages } = await linter.lintText(text, `${path}.md`);
    for (const message of messages) {
      found += 1;
      const at = line + message.loc.start.line - 1;
      const [summary] = message.message.split("\nOver");
      console.log(`${relative(".", path)}:${at}: ${summary} (${message.ruleId})`);
    }
  }
}
if (found > 0) {
  console.log(`\n${found} places to rewrite: shorter sentences, plainer words (scripts/prose).`);
  process.exit(1);
}
console.log(`The prose of ${files.length} files is within the rules.`);
