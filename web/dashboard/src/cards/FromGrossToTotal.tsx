// How gross sales become total sales: a waterfall.
import { toCsv } from '../domain/csv';
import type { Formats } from '../domain/format';
import type { Days, Variables } from '../domain/range';
import { stepsOf } from '../domain/waterfall';
import type { FromGrossToTotalFragment } from '../gql/graphql';
import { Card } from '../ui/Card';

interface Props {
  metrics: FromGrossToTotalFragment['overview']['metrics'];
  days: Days;
  formats: Formats;
  variables: Variables;
}

export const FromGrossToTotal = ({ metrics, days, formats, variables }: Props) => {
  const steps = stepsOf(metrics);
  return (
    <Card
      title="From gross to total sales"
      of="fromGrossToTotal"
      className="waterfall"
      variables={variables}
      note={formats.days(days)}
      sheet={{
        name: `gross-to-total-${days.from}-${days.to}`,
        text: () => toCsv(['step', 'amount'], steps.map(({ title, amount }) => [title, amount])),
      }}
    >
      <table>
        <thead className="hidden">
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Amount</th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ key, title, kind, amount, from, to }) => (
            <tr key={key} className={kind === 'sum' ? 'sum' : Number(amount) < 0 ? 'minus' : 'plus'}>
              <th scope="row">{title}</th>
              <td className="bar" aria-hidden="true">
                <i style={{ marginLeft: `${from * 100}%`, width: `${(to - from) * 100}%` }} />
              </td>
              <td className="number">{formats.money(amount)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
};
