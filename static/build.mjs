// Builds everything a browser fetches from static/src into static/dist, with names that
// carry a hash of the content, and a manifest that says which name stands for which.
//
//   styles/app.scss, styles/room.scss, pages/*.scss   → one style sheet each
//   app.js, htmx.js, islands/*.js                     → one module each
//   icons.json                                        → one sprite, icons.svg
//   images/*                                          → copied under a hashed name
//
// The new folder takes the place of the old one only when all went well.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const source = join(here, "src");
const target = join(here, "dist");
const fresh = join(here, "dist.new");

const files = (folder, suffix) =>
  existsSync(join(source, folder))
    ? readdirSync(join(source, folder))
        .filter((name) => name.endsWith(suffix) && !name.startsWith("_") && !name.endsWith(".test.js"))
        .sort()
        .map((name) => join(source, folder, name))
    : [];

const styles = {
  name: "sass",
  setup(build) {
    build.onLoad({ filter: /\.scss$/ }, ({ path }) => {
      const { css, loadedUrls } = sass.compile(path, {
        loadPaths: [join(root, "node_modules"), join(source, "styles")],
        quietDeps: true,
      });
      return { contents: css, loader: "css", resolveDir: root, watchFiles: loadedUrls.map((url) => fileURLToPath(url)) };
    });
  },
};

function hashed(name, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
  const extension = extname(name);
  return `${basename(name, extension)}-${hash}${extension}`;
}

function keep(manifest, name, bytes) {
  manifest[name] = hashed(name, bytes);
  writeFileSync(join(fresh, manifest[name]), bytes);
}

function sprite() {
  const icons = JSON.parse(readFileSync(join(source, "icons.json"), "utf8"));
  const symbols = Object.entries(icons).map(
    ([name, shapes]) => `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replaceAll("'", '"')}</symbol>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

// What a page calls an output: the file it was made from, a style sheet ending in .css.
function plainName(output, details) {
  const made_from = details.entryPoint ?? Object.keys(details.inputs)[0];
  const name = basename(made_from);
  return output.endsWith(".css") ? name.replace(/\.scss$/, ".css") : name;
}

function report(manifest) {
  for (const [name, file] of Object.entries(manifest)) {
    const bytes = readFileSync(join(fresh, file));
    const packed = name.endsWith(".woff2") ? bytes.length : gzipSync(bytes, { level: 9 }).length;
    if (!name.endsWith(".woff2")) writeFileSync(join(fresh, `${file}.gz`), gzipSync(bytes, { level: 9 }));
    console.log(`${name.padEnd(44)} ${String(bytes.length).padStart(8)} ${String(packed).padStart(8)} packed`);
  }
}

rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });

const { metafile } = await esbuild.build({
  entryPoints: [
    ...files("styles", ".scss"),
    ...files("pages", ".scss"),
    join(source, "app.js"),
    join(source, "htmx.js"),
    ...files("islands", ".js"),
  ],
  outdir: fresh,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  charset: "utf8",
  legalComments: "linked",
  target: ["chrome87", "firefox78", "safari14.1"],
  supported: { destructuring: true }, // Safari 14 has it; esbuild minds one rare fault of it
  loader: { ".woff2": "file", ".svg": "file", ".png": "file", ".webp": "file" },
  plugins: [styles],
  metafile: true,
  nodePaths: [join(root, "node_modules")],
  absWorkingDir: root,
  logLevel: "warning",
});

const manifest = {};
for (const [output, details] of Object.entries(metafile.outputs)) {
  if (output.endsWith(".LEGAL.txt")) continue;
  const name = plainName(output, details);
  if (manifest[name]) throw new Error(`Two sources would both be called ${name}`);
  manifest[name] = relative(fresh, join(root, output));
}
keep(manifest, "icons.svg", sprite());
for (const path of files("images", "")) {
  if (statSync(path).isFile()) keep(manifest, basename(path), readFileSync(path));
}
writeFileSync(join(fresh, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
report(manifest);

rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
