// Calls a running server with @grpc/grpc-js and prints what it saw as one JSON line.
// usage: node grpc_js.mjs <package.json of a folder with the client> <folder of .proto files> <address>
import { createRequire } from "node:module";

const [manifest, protos, address] = process.argv.slice(2);
const require = createRequire(manifest);
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const definition = loader.loadSync("ruv_swarm/v1/service.proto", {
  includeDirs: [protos],
  longs: Number,
  defaults: true,
});
const { SwarmService } = grpc.loadPackageDefinition(definition).ruv_swarm.v1;
const client = new SwarmService(address, grpc.credentials.createInsecure());

/** The response, or what the call was refused with. */
function call(method, request, metadata = {}) {
  const headers = new grpc.Metadata();
  for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
  return new Promise((resolve) => {
    client[method](request, headers, (error, response) => {
      if (!error) return resolve(response);
      const trailing = (key) => error.metadata.get(key)[0];
      resolve({
        status: grpc.status[error.code],
        message: error.details,
        code: trailing("ruv-swarm-code"),
        field: trailing("ruv-swarm-field"),
      });
    });
  });
}

const seen = {};
seen.methods = Object.keys(SwarmService.service).sort();
seen.early = await call("SwarmStatus", {});
seen.made = await call("SwarmInit", { seed: 2 ** 52 + 1, topology: "star" });
const key = { "idempotency-key": "once" };
seen.spawned = await call("AgentSpawn", { type: "coder", name: "Zoë" }, key);
seen.again = await call("AgentSpawn", { type: "coder", name: "Zoë" }, key);
seen.submitted = await call("TaskSubmit", { tasks: [{ description: "work" }] });
seen.claimed = await call("TaskClaim", { agentId: "a1" });
seen.put = await call("ArtifactPut", { content: Buffer.from([0, 255, 1]) });
seen.got = await call("ArtifactGet", { hash: seen.put.artifact.hash });
seen.got.content = seen.got.content.toString("hex");
seen.reported = await call("TaskReport", {
  taskId: "t1",
  agentId: "a1",
  epoch: seen.claimed.task.lease.epoch,
  outcome: "completed",
  artifact: seen.put.artifact.hash,
});
seen.stale = await call("TaskReport", { taskId: "t1", agentId: "a1", epoch: 1, outcome: "completed" });
seen.unknown = await call("TaskStatus", { taskId: "t99" });
seen.status = await call("SwarmStatus", { verbose: true });
client.close();
console.log(JSON.stringify(seen));
