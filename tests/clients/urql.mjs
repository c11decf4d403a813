// urql with its normalised cache: node urql.mjs URL SCHEMA. Answers the requests of a conversation.
import { readFileSync } from "node:fs";
import { Client, fetchExchange, gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { buildSchema, introspectionFromSchema, isObjectType } from "graphql";
import { converse, signedIn } from "./conversation.mjs";

const [url, path] = process.argv.slice(2);
const schema = buildSchema(readFileSync(path, "utf8"));
// As its documentation asks for: a type without an id is part of what holds it.
const keys = Object.fromEntries(
  Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.getFields().id)
    .map(({ name }) => [name, () => null]),
);
// So is an entity whose id a document leaves out, which is worth a hint to urql, and no fault.
const logger = (severity, told) => {
  if (severity !== "debug" && !told.includes("no key could be generated")) throw new Error(told);
};
const cache = cacheExchange({ schema: introspectionFromSchema(schema), keys, logger });
const client = new Client({ url, exchanges: [cache, fetchExchange], preferGetMethod: false });

await converse(async ({ document, variables, token, cached }) => {
  const parsed = gql(document);
  const options = { fetchOptions: { headers: signedIn(token) }, requestPolicy: cached ? "cache-only" : "cache-first" };
  const isMutation = parsed.definitions[0].operation === "mutation";
  const { data, error } = await client[isMutation ? "mutation" : "query"](parsed, variables, options).toPromise();
  if (error) throw error;
  return data;
});
