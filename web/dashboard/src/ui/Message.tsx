import type { ReactNode } from 'react';

interface Props {
  tone: 'bad' | 'warn' | 'calm';
  title: string;
  children?: ReactNode;
}

/** A notice: the problem, and what to do. */
export const Message = ({ tone, title, children }: Props) => (
  <section className={`message ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
    <strong>{title}</strong>
    {children}
  </section>
);
