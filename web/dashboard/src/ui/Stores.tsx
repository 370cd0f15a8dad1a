// The current store, and a menu to switch to another one.
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { switchStore } from '../api/session';
import type { MeFragment } from '../gql/graphql';
import { Down } from './icons';
import { Menu } from './Menu';

type Me = NonNullable<MeFragment['me']>;

interface Props {
  me: Pick<Me, 'memberships'> & { tenant: { id: string; shop: { name: string } } };
}

export const Stores = ({ me }: Props) => {
  const [, go] = useLocation();
  const [wrong, setWrong] = useState('');
  const choose = async (id: string) => {
    setWrong('');
    try {
      const [problem] = await switchStore(id);
      if (problem) setWrong(problem.message);
      // The period of one store may make no sense for another.
      else go('/');
    } catch {
      setWrong('Can’t reach the server. Try again.');
    }
  };
  return (
    <Menu
      className="shown"
      panelClassName="stores"
      label={
        <>
          <span className="title">{me.tenant.shop.name}</span>
          <Down />
        </>
      }
    >
      {(close) => (
        <>
          <ul className="actions">
            {me.memberships.map(({ tenant }) => (
              <li key={tenant.id}>
                <button
                  type="button"
                  aria-pressed={tenant.id === me.tenant.id}
                  onClick={() => (tenant.id === me.tenant.id ? close() : void choose(tenant.id))}
                >
                  <span>
                    {tenant.shop.name}
                    <span className="muted">{tenant.shop.domain}</span>
                  </span>
                </button>
              </li>
            ))}
            <li>
              <Link href="/connect" onClick={close}>
                Connect another store
              </Link>
            </li>
          </ul>
          {wrong && (
            <p className="wrong" role="alert">
              {wrong}
            </p>
          )}
        </>
      )}
    </Menu>
  );
};
