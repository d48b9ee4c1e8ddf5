// The vendor's Node SDK as a client for `bluehour fuzz`: its `generate`, used as its README shows.
//
// It runs where the SDK can be required, `bluehour fuzz -- node_sdk.cjs:face`.

"use strict";

// How it polls and logs is its own affair, also where the suite is in a hurry.
delete process.env.MAGIC_HOUR_POLL_INTERVAL;
delete process.env.MAGIC_HOUR_LOG_LEVEL;

const { default: Client, ApiError } = require("magic-hour");
const { AbortError, FetchError } = require("node-fetch"); // the SDK's own, for what the network does

/** The plain Error that uploadFile is documented to throw "if the upload request fails". */
class UploadError {
  static [Symbol.hasInstance](error) {
    return error?.constructor === Error && error.message.startsWith("Upload failed with status");
  }
}

exports.REFUSES = [ApiError, UploadError, FetchError, AbortError];

const client = ({ token, url, patience }) => new Client({ token, baseUrl: url, timeout: patience * 1000 });

const assets = (task) => ({ imageFilePath: task.photo });

const outputs = (task) => ({ waitForCompletion: true, downloadOutputs: true, downloadDirectory: task.out });

/** Have the face editor make a smile. */
exports.face = async (task) => {
  const request = { assets: assets(task), style: { mouthSmile: 60 } };
  return client(task).v1.aiFaceEditor.generate(request, outputs(task));
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
