// Bundles the page and its workers into dist/, each file compressed, under a name that changes with its content.
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const out = fileURLToPath(new URL('dist/', import.meta.url));
for (const file of await readdir(out)) {
  if (file !== '.gitignore') await rm(out + file);
}

const shared = {
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  write: false,
  outdir: out,
  legalComments: 'none',
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'dataurl', '.graphql': 'text' },
};

const keep = async (name, contents) => {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 12);
  const [stem, extension] = [name.replace(/\.[^.]*$/, ''), name.split('.').pop()];
  const file = `${stem}-${hash}.${extension}`;
  await writeFile(`${out}${file}.gz`, gzipSync(contents, { level: 9 }));
  return file;
};

const workers = {};
for (const [label, entry] of [
  ['editor', 'monaco-editor/esm/vs/editor/editor.worker.js'],
  ['json', 'monaco-editor/esm/vs/language/json/json.worker.js'],
  ['graphql', 'monaco-graphql/esm/graphql.worker.js'],
]) {
  const result = await build({ ...shared, entryPoints: { [label]: entry } });
  workers[label] = await keep(`worker-${label}.js`, result.outputFiles[0].contents);
}

const page = await build({
  ...shared,
  entryPoints: { page: 'src/page.jsx' },
  jsx: 'automatic',
  define: { ...shared.define, WORKERS: JSON.stringify(workers) },
});
const names = {};
for (const file of page.outputFiles) {
  const name = file.path.split('/').pop();
  names[name] = await keep(name, file.contents);
}
const html = await readFile(new URL('src/index.html', import.meta.url), 'utf8');
await writeFile(`${out}index.html`, html.replace('page.css', names['page.css']).replace('page.js', names['page.js']));
