// axios with axios-retry, as its README shows, and a limit on requests added to what is asked again.
const fs = require("fs");
const path = require("path");
const { pipeline } = require("stream/promises");
const axios = require("axios");
const axiosRetry = require("axios-retry").default;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class EditError extends Error {}

async function edit(task) {
  const api = axios.create({
    baseURL: task.url,
    timeout: task.patience * 1000,
    headers: { Authorization: `Bearer ${task.token}` },
  });
  axiosRetry(api, {
    retries: 3,
    retryDelay: axiosRetry.exponentialDelay,
    retryCondition: (error) =>
      axiosRetry.isNetworkOrIdempotentRequestError(error) || error.response?.status === 429,
  });

  const { data: urls } = await api.post("/v1/files/upload-urls", {
    items: [{ type: "image", extension: "jpg" }],
  });
  const { upload_url, file_path } = urls.items[0];
  await axios.put(upload_url, fs.readFileSync(task.photo));

  const { data: created } = await api.post("/v1/ai-face-editor", {
    assets: { image_file_path: file_path },
    style: { mouth_smile: 60 },
  });

  let project;
  const deadline = Date.now() + 5 * 60 * 1000;
  do {
    await sleep(2000);
    if (Date.now() > deadline) throw new EditError("timed out");
    ({ data: project } = await api.get(`/v1/image-projects/${created.id}`));
  } while (project.status !== "complete" && project.status !== "error");
  if (project.status === "error") throw new EditError(project.error.message);

  const files = [];
  for (const [index, download] of project.downloads.entries()) {
    const file = path.join(task.out, `result-${index}.png`);
    const response = await axios.get(download.url, { responseType: "stream" });
    await pipeline(response.data, fs.createWriteStream(file));
    files.push(file);
  }
  return { status: project.status, files, credits_charged: project.credits_charged };
}

module.exports = { edit };
