import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: 'src/api/*.graphql',
  ignoreNoDocuments: false,
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // What the API promises of its scalars. Amounts are strings: they are shown and summed as decimals.
        scalars: { Date: 'string', DateTime: 'string', Decimal: 'string', ID: 'string' },
        strictScalars: true,
        useTypeImports: true,
        enumsAsTypes: true,
        // Text, not syntax trees: less to load, and a card can show its query as it was written.
        documentMode: 'string',
      },
    },
  },
};

export default config;
