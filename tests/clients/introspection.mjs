// Prints the schema that a client builds from a server's introspection, and that of a file, in one form, as JSON:
// node introspection.mjs URL TOKEN SCHEMA
import { readFileSync } from "node:fs";
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from "graphql";
import { signedIn } from "./conversation.mjs";

const [url, token, path] = process.argv.slice(2);
const all = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true };
const response = await fetch(url, {
  method: "POST",
  headers: { "content-type": "application/json", ...signedIn(token) },
  body: JSON.stringify({ query: getIntrospectionQuery({ ...all, oneOf: true }) }),
});
const { data } = await response.json();
const [served, written] = [buildClientSchema(data), buildSchema(readFileSync(path, "utf8"))];
process.stdout.write(JSON.stringify([served, written].map((schema) => printSchema(lexicographicSortSchema(schema)))));
