// Apollo Server with @neo4j/graphql over a graph that is there: node server.mjs, with the engine's address in the
// environment. It prints its own address when it listens. README.md says why it is set up so.
import { readFileSync } from "node:fs";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { Neo4jGraphQL } from "@neo4j/graphql";
import neo4j from "neo4j-driver";

const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE } = process.env;
const driver = neo4j.driver(NEO4J_URI, neo4j.auth.basic(NEO4J_USERNAME, NEO4J_PASSWORD), { telemetryDisabled: true });
const { schema } = await schemaOver(driver);
const server = new ApolloServer({ schema, introspection: false });
const context = async () => ({ sessionConfig: { database: NEO4J_DATABASE } });
const { url } = await startStandaloneServer(server, { context, listen: { host: "127.0.0.1", port: 0 } });
console.log(`Ready ${url}`);

process.once("SIGTERM", async () => {
  await server.stop();
  await driver.close();
});

async function schemaOver(driver) {
  const unused = {
    mutationOperations: true,
    aggregationFilters: true,
    aggregationFiltersOutsideConnection: true,
    relationshipFilters: true,
    attributeFilters: true,
  };
  const library = new Neo4jGraphQL({
    typeDefs: readFileSync(new URL("schema.graphql", import.meta.url), "utf8"),
    driver,
    features: { excludeDeprecatedFields: unused },
  });
  return { schema: await library.getSchema() };
}
