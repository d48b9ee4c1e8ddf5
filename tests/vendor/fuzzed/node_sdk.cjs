// The vendor's Node SDK as a client for `bluehour fuzz`: its `generate`, used as its README shows.
//
// It runs where the SDK can be required, `bluehour fuzz -- node_sdk.cjs:face`.

"use strict";

// How it polls and logs is its own affair, also where the suite is in a hurry.
delete process.env.MAGIC_HOUR_POLL_INTERVAL;
delete process.env.MAGIC_HOUR_LOG_LEVEL;

const { default: Client } = require("magic-hour");

const client = ({ token, url, patience }) => new Client({ token, baseUrl: url, timeout: patience * 1000 });

const assets = (task) => ({ imageFilePath: task.photo });

const outputs = (task) => ({ waitForCompletion: true, downloadOutputs: true, downloadDirectory: task.out });

/** Have the face editor make a smile. */
exports.face = async (task) => {
  const request = { assets: assets(task), style: { mouthSmile: 60 } };
  return client(task).v1.aiFaceEditor.generate(request, outputs(task));
};

/** Have done what `--operation` asks for: the SDK's resource is named as the path, `aiFaceEditor`. */
exports.asked = async (task) => {
  const resource = camel(task.path.split("/").pop().replaceAll("-", "_"));
  return client(task).v1[resource].generate(inCamelCase(task.request), outputs(task));
};

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** A request with the names of its fields as the SDK has them. */
const inCamelCase = (value) => {
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [camel(name), inCamelCase(each)]));
};

/** Have the photo editor add a hat. */
exports.photo = async (task) => {
  const style = {
    imageDescription: "A photo of a person",
    prompt: "A photo portrait of a person wearing a hat",
    likenessStrength: 5.2,
    promptStrength: 3.75,
  };
  const request = { assets: assets(task), resolution: 768, style };
  return client(task).v1.aiPhotoEditor.generate(request, outputs(task));
};
