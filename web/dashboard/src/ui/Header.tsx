// The header: store, freshness, period, account.
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { signOut } from '../api/session';
import { Down } from './icons';
import { Logo } from './Logo';
import { Menu } from './Menu';
import { chooseTheme, useTheme, type Theme } from './theme';

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

const Account = ({ email, keys }: { email: string | undefined; keys?: (() => void) | undefined }) => {
  const theme = useTheme();
  return (
    <Menu
      className="button account"
      panelClassName="right"
      name="Account and appearance"
      label={
        <>
          <span className="initial" aria-hidden="true">{(email ?? '·').charAt(0).toUpperCase()}</span>
          <Down />
        </>
      }
    >
      {(close) => (
        <>
          {email && <p className="email">{email}</p>}
          <fieldset className="themes">
            <legend>Appearance</legend>
            {THEMES.map(([name, text]) => (
              <label key={name}>
                <input type="radio" name="theme" checked={theme === name} onChange={() => chooseTheme(name)} />
                {text}
              </label>
            ))}
          </fieldset>
          <ul className="actions">
            {keys && (
              <li>
                <button
                  type="button"
                  onClick={() => {
                    close();
                    keys();
                  }}
                >
                  Keyboard shortcuts
                </button>
              </li>
            )}
            <li>
              <Link href="/settings" onClick={close}>
                Store settings
              </Link>
            </li>
            <li>
              <button type="button" onClick={() => void signOut()}>
                Sign out
              </button>
            </li>
          </ul>
        </>
      )}
    </Menu>
  );
};

interface Props {
  email: string | undefined;
  store: ReactNode;
  children?: ReactNode;
  keys?: () => void;
}

export const Header = ({ email, store, children, keys }: Props) => (
  <header className="top">
    <Link href="/" className="home" aria-label="XBoard dashboard">
      <Logo />
    </Link>
    {store}
    {children}
    <Account email={email} keys={keys} />
  </header>
);
