// A client's side of a conversation with a test: each line that comes in is a request, each that goes out its data.
import { createInterface } from "node:readline";
import { format } from "node:util";

// What a client complains of fails the test; what it merely tells goes where it does not mix with the answers.
for (const kind of ["warn", "error"]) {
  console[kind] = (...told) => {
    throw new Error(format(...told));
  };
}
for (const kind of ["log", "info", "debug"]) console[kind] = (...told) => process.stderr.write(`${format(...told)}\n`);

export async function converse(answer) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
}

export function signedIn(token) {
  return token ? { authorization: `Bearer ${token}` } : {};
}
