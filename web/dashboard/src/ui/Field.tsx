// A form field with its error below.
import { useId, type HTMLInputTypeAttribute, type ReactNode } from 'react';

interface Props {
  label: string;
  value: string;
  change: (value: string) => void;
  type?: HTMLInputTypeAttribute;
  autoComplete?: string;
  placeholder?: string;
  help?: ReactNode;
  wrong?: string | undefined;
  optional?: boolean;
}

export const Field = ({ label, value, change, type = 'text', autoComplete, placeholder, help, wrong, optional = false }: Props) => {
  const id = useId();
  const described = [help && `${id}-help`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined;
  return (
    <div className={`field ${wrong ? 'is-wrong' : ''}`}>
      <label htmlFor={id}>
        {label} {optional && <span className="muted">optional</span>}
      </label>
      <input
        id={id}
        type={type}
        value={value}
        required={!optional}
        autoComplete={autoComplete ?? 'off'}
        placeholder={placeholder}
        spellCheck={false}
        autoCapitalize="none"
        aria-describedby={described}
        aria-invalid={wrong ? true : undefined}
        onChange={(event) => change(event.target.value)}
      />
      {help && (
        <p id={`${id}-help`} className="help">
          {help}
        </p>
      )}
      {wrong && (
        <p id={`${id}-wrong`} className="wrong">
          {wrong}
        </p>
      )}
    </div>
  );
};
