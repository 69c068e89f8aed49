// Starts the console: the panels that follow the server, and the try-outs.

import { call } from "./api.js";
import { onCallerChange, startCaller } from "./caller.js";
import { connectionsPath, showConnections, startConnections } from "./connections.js";
import { showCounters, showUsage } from "./counters.js";
import { startCopying } from "./copy.js";
import { discover, markChosen, showDiscoverCommand, startDiscover } from "./discover.js";
import { byId } from "./dom.js";
import { sayHello, showHelloCommand, startHello } from "./hello.js";
import { chooseCapability, showInvokeCommand, startInvoke } from "./invoke.js";
import { parseMetrics } from "./metrics.js";
import { refreshReadiness, showProfiles, showTiles } from "./overview.js";
import { adminPanel } from "./panels.js";
import { poll } from "./poll.js";
import { showPublishCommand, startPublish } from "./publish.js";
import { showSubscribeCommand, startSubscribe } from "./subscribe.js";

const OFTEN_MS = 2000;
const SELDOM_MS = 10_000;

async function refreshMetrics() {
  const answer = await call("GET", "/metrics");
  const samples = answer.ok ? parseMetrics(answer.text) : null;
  showTiles(samples);
  showCounters(samples, answer.ok ? "" : answer.fault.message);
}

function choose(descriptor) {
  markChosen(descriptor.id);
  return chooseCapability(descriptor);
}

/** DISCOVER; the first answer also fills INVOKE, so that there is something to send at once. */
async function runDiscover() {
  const found = await discover(choose);
  const chosen = byId("invoke-capability").value;
  if (chosen) markChosen(chosen);
  else if (found.length > 0) await choose(found[0]);
}

function showCommands() {
  for (const show of [showHelloCommand, showDiscoverCommand, showInvokeCommand, showPublishCommand, showSubscribeCommand]) show();
}

startCaller();
startHello();
startDiscover(runDiscover);
startInvoke();
startPublish();
startSubscribe();
showCommands();
startCopying();

const followers = [
  poll(refreshReadiness, OFTEN_MS),
  poll(refreshMetrics, OFTEN_MS),
  poll(adminPanel(connectionsPath, showConnections), OFTEN_MS),
  poll(adminPanel(() => "/admin/v0.1/health/conformance", showProfiles), SELDOM_MS),
  poll(adminPanel(() => "/cloud/v0.1/usage", showUsage), OFTEN_MS),
];
startConnections(followers[2]);

onCallerChange(() => {
  showCommands();
  for (const refresh of followers) refresh();
  sayHello();
  runDiscover();
});
sayHello();
runDiscover();
