// Relay's compiler, network layer and store: node relay.mjs URL SCHEMA FOLDER. Answers the requests of a conversation.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import compiler from "relay-compiler";
import runtime from "relay-runtime";
import { converse, signedIn } from "./conversation.mjs";

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor } = runtime;
const { fetchQuery, getRequest, getSingularSelector } = runtime;
const [url, schema, folder] = process.argv.slice(2);
const load = createRequire(join(folder, "artifacts/"));
let token;

for (const name of ["src", "artifacts"]) mkdirSync(join(folder, name));
copyFileSync(schema, join(folder, "schema.graphql"));
const config = { src: "src", schema: "schema.graphql", artifactDirectory: "artifacts", language: "javascript" };
writeFileSync(join(folder, "relay.config.json"), JSON.stringify({ ...config, eagerEsModules: false }));

function compiled(document) {
  const name = /(?:query|mutation) (\w+)/.exec(document)[1];
  writeFileSync(join(folder, "src", `${name}.js`), `graphql\`${document}\``);
  execFileSync(compiler, ["relay.config.json"], { cwd: folder });
  return artifact(name);
}

function artifact(name) {
  return load(`./${name}.graphql.js`);
}

async function send({ text }, variables) {
  const headers = { "content-type": "application/json", ...signedIn(token) };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify({ query: text, variables }) })).json();
}

const environment = new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });

// What a component reads: each fragment by its own, from the store.
function unmasked(value) {
  if (Array.isArray(value)) return value.map(unmasked);
  if (value === null || typeof value !== "object") return value;
  const { __id, __fragments = {}, __fragmentOwner, ...own } = value;
  const fragments = Object.keys(__fragments).map((name) => getSingularSelector(artifact(name), value));
  const read = fragments.map((selector) => unmasked(environment.lookup(selector).data));
  return Object.assign(Object.fromEntries(Object.entries(own).map(([key, each]) => [key, unmasked(each)])), ...read);
}

function mutated(mutation, variables) {
  return new Promise((resolve, reject) => {
    const onCompleted = (data, errors) => (errors ? reject(new Error(JSON.stringify(errors))) : resolve(data));
    commitMutation(environment, { mutation, variables, onCompleted, onError: reject });
  });
}

await converse(async (request) => {
  token = request.token;
  const node = compiled(request.document);
  const operation = createOperationDescriptor(getRequest(node), request.variables);
  if (operation.request.node.params.operationKind === "mutation") return unmasked(await mutated(node, request.variables));
  if (!request.cached) {
    environment.retain(operation);
    return unmasked(await fetchQuery(environment, node, request.variables).toPromise());
  }
  const { status } = environment.check(operation);
  if (status !== "available") throw new Error(`the store has not all of it: ${status}`);
  return unmasked(environment.lookup(operation.fragment).data);
});
