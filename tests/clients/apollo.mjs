// Apollo Client with its normalised cache: node apollo.mjs URL SCHEMA. Answers the requests of a conversation.
import { readFileSync } from "node:fs";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client/core";
import { buildSchema, isAbstractType } from "graphql";
import { converse, signedIn } from "./conversation.mjs";

const [uri, path] = process.argv.slice(2);
const schema = buildSchema(readFileSync(path, "utf8"));
const possibleTypes = Object.fromEntries(
  Object.values(schema.getTypeMap())
    .filter(isAbstractType)
    .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
);
const client = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache({ possibleTypes }) });

await converse(async ({ document, variables, token, cached }) => {
  const parsed = gql(document);
  const context = { headers: signedIn(token) };
  if (parsed.definitions[0].operation === "mutation") {
    return (await client.mutate({ mutation: parsed, variables, context })).data;
  }
  if (cached) return client.readQuery({ query: parsed, variables });
  return (await client.query({ query: parsed, variables, context })).data;
});
