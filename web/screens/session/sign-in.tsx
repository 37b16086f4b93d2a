import Head from 'next/head';
import { useState, type FormEvent } from 'react';
import { sessionNotice, signIn } from '../../client/session.ts';

/** The way in: a token, or the login link that the server prints. */
export function SignIn() {
  const [token, setToken] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const notice = sessionNotice();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const secret = token.trim();
    if (secret === '') return setWrong('Paste a token first.');
    const problem = await refusalOf(secret);
    if (problem === null) signIn(secret);
    else setWrong(problem);
  };
  return (
    <main className="cover">
      <Head>
        <title>Sign in · Gantry</title>
      </Head>
      <form className="panel sign-in" onSubmit={(event) => void submit(event)}>
        <h1>
          <img src="/favicon.svg" alt="" width="28" height="28" /> Gantry
        </h1>
        {notice === null ? null : (
          <p className="notice tone-warn" role="status">
            {notice}
          </p>
        )}
        <div className="field">
          <label htmlFor="token">Token</label>
          <input
            id="token"
            className="input mono"
            type="password"
            autoComplete="current-password"
            autoFocus
            value={token}
            aria-invalid={wrong !== null}
            aria-describedby="token-hint"
            onChange={({ target }) => {
              setToken(target.value);
              setWrong(null);
            }}
          />
          <p id="token-hint" className={wrong === null ? 'hint' : 'wrong'} role={wrong === null ? undefined : 'alert'}>
            {wrong ?? (
              <>
                Or open the login link that <code>npm start</code> prints. The first token is in{' '}
                <code>.gantry/admin-token</code>.
              </>
            )}
          </p>
        </div>
        <button className="button primary" type="submit">
          Sign in
        </button>
      </form>
    </main>
  );
}

/** Why a token is not accepted; null when it is. Asked apart from the session, which there is none of yet. */
async function refusalOf(secret: string): Promise<string | null> {
  if (!/^[\x21-\x7e]+$/.test(secret)) return 'That is no token: it has letters, digits and underscores only.';
  try {
    const { status } = await fetch('/graphql', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${secret}` },
      body: JSON.stringify({ query: '{ viewer { name } }' }),
    });
    if (status === 401) return 'The server does not know this token. It may have expired or been revoked.';
    return status === 200 ? null : `The server answered with status ${status}. Try again in a moment.`;
  } catch {
    return 'The server cannot be reached. Is it running?';
  }
}
