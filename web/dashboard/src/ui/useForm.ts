import { useState } from 'react';
import { Refused } from '../api/send';
import type { ProblemFragment } from '../gql/graphql';

/** Sends a form, once at a time, and returns its errors. */
export const useForm = (work: () => Promise<readonly ProblemFragment[]>) => {
  const [problems, setProblems] = useState<readonly ProblemFragment[]>([]);
  const [busy, setBusy] = useState(false);
  const submit = async (event: { preventDefault: () => void }) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblems([]);
    try {
      setProblems(await work());
    } catch (error) {
      const message =
        error instanceof Refused ? error.message : 'Can’t reach the server. Check your connection and try again.';
      setProblems([{ field: null, message, code: 'INVALID' }]);
    } finally {
      setBusy(false);
    }
  };
  return { problems, busy, submit };
};
