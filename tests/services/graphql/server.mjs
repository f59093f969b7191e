// A shop behind GraphQL, for tests: `node server.mjs PORT FOLDER`. Below `/graphql` it is as it is; below `/closed` it does not tell
// its schema; below `/old` it knows nothing of what newer servers say of themselves.
import { createServer } from "node:http";
import { GraphQLError } from "graphql";
import { createSchema, createYoga } from "graphql-yoga";

const typeDefs = /* GraphQL */ `
  "A moment, as RFC 3339 has it"
  scalar DateTime
  scalar JSON
  directive @audit(reason: String = "none") on FIELD_DEFINITION
  "Where an order is"
  enum Status { OPEN "On its way" SENT @deprecated(reason: "Use \\"OPEN\\"") PAID }
  interface Node { id: ID! }
  type Customer implements Node { id: ID!, name: String!, orders: [Order!]! }
  "An order of a customer"
  type Order implements Node {
    id: ID!
    "Sum in cents"
    total: Int!
    status: Status!
    placed: DateTime
    customer: Customer
    tags: [String!]
    note: String
    fragile: Boolean
    weight: Float
    "Cannot always be computed"
    risk: Float
    extra: JSON
  }
  union Found = Order | Customer
  input LineInput { sku: String!, count: Int! = 1, children: [LineInput!] }
  input PlaceOrder {
    "Who buys"
    customer: ID!
    status: Status = OPEN
    lines: [LineInput!]!
    note: String
  }
  input Filter { status: [Status!], since: DateTime, text: String }
  input Key @oneOf { id: ID, number: Int }
  type Query {
    order("Which order" id: ID!): Order
    orderBy(key: Key!): Order
    orders(filter: Filter, "How many" first: Int! = 10): [Order!]!
    find(text: String!): [Found!]!
    echo: String
    me: Customer!
    fail(code: String): String
    failAll(code: String!): String!
    slow(ms: Int!): String
    large(bytes: Int!): String
  }
  type Mutation {
    "Places an order"
    placeOrder(input: PlaceOrder!): Order! @audit(reason: "money")
    clear(value: String = null): Boolean!
  }
  type Subscription { ticks: Int! }
`;

const ann = { __typename: "Customer", id: "c1", name: "Ann" };
const orders = [1, 2, 3].map((n) => ({
  __typename: "Order", id: String(n), total: n * 100, status: n === 2 ? "PAID" : "OPEN", placed: `2026-01-0${n}T00:00:00Z`,
  customer: ann, tags: n === 1 ? ["new"] : null, note: null, fragile: n === 3, weight: n / 2, extra: { n },
}));
ann.orders = orders;
const failure = (code) => new GraphQLError(`It fails with ${code}`, { extensions: { code } });
const risk = { Order: { risk: (order) => { if (order.id === "2") throw failure("NO_RISK"); return 0.5; } } };

const resolvers = {
  ...risk,
  Query: {
    order: (_, { id }) => orders.find((order) => order.id === id),
    orderBy: (_, { key }) => orders.find((order) => order.id === (key.id ?? String(key.number))),
    orders: (_, { filter, first }) => orders.filter((order) => !filter?.status || filter.status.includes(order.status)).slice(0, first),
    find: (_, { text }) => [...orders, ann].filter((one) => JSON.stringify([one.id, one.name]).includes(text)),
    echo: (_, __, { request }) => JSON.stringify(Object.fromEntries(request.headers)),
    me: (_, __, { request }) => { if (!request.headers.get("authorization")) throw failure("UNAUTHENTICATED"); return ann; },
    fail: (_, { code }) => { throw failure(code); },
    failAll: (_, { code }) => { throw failure(code); },
    slow: (_, { ms }) => new Promise((done) => setTimeout(() => done("slow"), ms)),
    large: (_, { bytes }) => "x".repeat(bytes),
  },
  Mutation: {
    placeOrder: (_, { input }) => {
      if (input.lines.length === 0) throw failure("BAD_USER_INPUT");
      return { ...orders[0], id: "9", note: input.note, total: input.lines.reduce((sum, line) => sum + line.count, 0), status: input.status };
    },
    clear: (_, { value }) => value === null,
  },
  Subscription: { ticks: { subscribe: async function* () { yield { ticks: 1 }; } } },
};

// A rule that refuses fields by name.
const without = (names) => ({
  onValidate({ addValidationRule }) {
    addValidationRule((context) => ({
      Field(node) {
        if (names.includes(node.name.value)) context.reportError(new GraphQLError(`No field ${node.name.value} here`, { nodes: node }));
      },
    }));
  },
});

const schema = createSchema({ typeDefs, resolvers });
const yoga = (endpoint, plugins) => createYoga({ schema, graphqlEndpoint: endpoint, plugins, logging: false, landingPage: false });
const servers = {
  "/graphql": yoga("/graphql", []),
  "/closed": yoga("/closed", [without(["__schema", "__type"])]),
  "/old": yoga("/old", [without(["isOneOf", "specifiedByURL", "isRepeatable"])]),
};

const server = createServer((request, response) => {
  const found = servers[new URL(request.url, "http://localhost").pathname];
  if (found) return found(request, response);
  response.writeHead(404).end("nothing here");
});
server.listen(Number(process.argv[2]), "127.0.0.1");
