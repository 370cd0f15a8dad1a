import { Field } from './Field';

/** Accepts `my-store`, `my-store.myshopify.com`, and a URL of the store's admin. */
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
    help="Your .myshopify.com domain. Find it in the Shopify admin under Settings → Domains."
    wrong={wrong}
  />
);
