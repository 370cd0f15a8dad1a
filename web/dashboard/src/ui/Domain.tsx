import { Field } from './Field';

/** `my-store` stands for `my-store.myshopify.com`, and of an address only the host matters. */
export const domainOf = (text: string): string => {
  const host = text.trim().toLowerCase().replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host && !host.includes('.') ? `${host}.myshopify.com` : host;
};

interface Props {
  value: string;
  change: (value: string) => void;
  wrong: string | undefined;
}

export const Domain = ({ value, change, wrong }: Props) => (
  <Field
    label="Permanent domain"
    value={value}
    change={change}
    placeholder="my-store.myshopify.com"
    help="The one that Shopify gave the store: in its admin under Settings → Domains."
    wrong={wrong}
  />
);
