// A service with long-running jobs, as there are many: it counts primes, in slices, and tells how far it is.
//
//   node examples/http-jobs/service.mjs      listens on 127.0.0.1:4090
//
//   POST   /jobs        { "below": 20000000, "callback": "https://…" or null }   202, Location: /jobs/1
//   GET    /jobs/1      { "state": "RUNNING" | "DONE" | "CANCELLED", "done", "below", "primes" }
//   DELETE /jobs/1      cancels it
//
// The same Idempotency-Key gets the same job. With a callback, the service calls it when the job has ended, and again
// while it cannot be reached.
import { createServer } from 'node:http';

const SLICE = 100_000;
const jobs = new Map();
const byKey = new Map();

function submit(key, { below, callback = null }) {
  const known = byKey.get(key);
  if (known) return known;
  const job = { id: String(jobs.size + 1), state: 'RUNNING', below, done: 2, primes: 0, callback };
  jobs.set(job.id, job);
  if (key) byKey.set(key, job);
  console.log(`job ${job.id}: primes below ${below}`);
  setImmediate(work, job);
  return job;
}

function work(job) {
  if (job.state !== 'RUNNING') return;
  const end = Math.min(job.done + SLICE, job.below);
  for (let number = job.done; number < end; number++) if (isPrime(number)) job.primes++;
  job.done = end;
  if (end < job.below) return void setImmediate(work, job);
  job.state = 'DONE';
  console.log(`job ${job.id}: ${job.primes} primes`);
  if (job.callback) void call(job, 1_000);
}

function isPrime(number) {
  if (number < 4) return number > 1;
  if (number % 2 === 0) return false;
  for (let divisor = 3; divisor * divisor <= number; divisor += 2) if (number % divisor === 0) return false;
  return true;
}

async function call(job, delayMs) {
  const body = JSON.stringify(shown(job));
  const headers = { 'content-type': 'application/json' };
  const status = await fetch(job.callback, { method: 'POST', headers, body }).then(
    (answer) => answer.status,
    () => 0,
  );
  console.log(`job ${job.id}: called back, ${status || 'nobody there'}`);
  if (status === 0 || status >= 500) setTimeout(() => void call(job, Math.min(delayMs * 2, 30_000)), delayMs);
}

const shown = ({ id, state, below, done, primes }) => ({ id, state, below, done, primes });

const server = createServer((request, response) => {
  const answer = (status, body, headers = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const [, folder, id] = request.url.split('/');
  if (folder !== 'jobs') return answer(404, { error: 'There are only /jobs.' });
  if (request.method === 'POST' && id === undefined) return void submitted(request, answer);
  const job = jobs.get(id);
  if (!job) return answer(404, { error: `There is no job ${id}.` });
  if (request.method === 'DELETE' && job.state === 'RUNNING') {
    job.state = 'CANCELLED';
    console.log(`job ${job.id}: cancelled`);
  }
  return answer(200, shown(job));
});

async function submitted(request, answer) {
  let text = '';
  for await (const piece of request) if ((text += piece).length > 10_000) return answer(413, { error: 'Too long.' });
  const wanted = read(text);
  if (!Number.isInteger(wanted?.below) || wanted.below < 2)
    return answer(400, { error: 'Send JSON: { "below": 20000000 }.' });
  const job = submit(request.headers['idempotency-key'], wanted);
  return answer(202, shown(job), { location: `/jobs/${job.id}` });
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

server.listen(4090, '127.0.0.1', () => console.log('http://127.0.0.1:4090/jobs'));
