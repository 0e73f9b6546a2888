import { createReadStream, createWriteStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createBrotliCompress, createGzip } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const COMPRESSED = /\.(js|css|html|svg|json)$/;

/** Puts `.br` and `.gz` beside every text file, so that the server need not compress. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && COMPRESSED.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name));
      const brotli = () =>
        createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
      for (const file of files) {
        const gzip = createGzip({ level: 9 });
        await pipeline(createReadStream(file), brotli(), createWriteStream(`${file}.br`));
        await pipeline(createReadStream(file), gzip, createWriteStream(`${file}.gz`));
      }
    },
  };
}

// What every page begins with is one file, and so is the desk: each compresses better than the same
// in forty, and is asked for once.
const START = { name: "start", tags: ["$initial" as const], priority: 1 };
const DESK = { name: "desk", test: /src\/desk\/(Desk|Runtime)\.tsx$/ };
const target = process.env.CARILLON_PORTAL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    target: "es2022",
    sourcemap: false,
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    rolldownOptions: { output: { codeSplitting: { groups: [START, DESK] } } },
  },
  server: { proxy: { "/v1": { target, ws: true } } },
  // A machine that does other work meanwhile must not fail what is right.
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
    environment: "node",
    testTimeout: 60_000,
  },
} as Parameters<typeof defineConfig>[0]);
