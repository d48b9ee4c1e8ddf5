// A project's files, of what it is made or what it has made: one is large, and of several the others are beside it.
import { fill, h } from "./dom.js";

const PLAYERS = { video: { playsinline: true }, audio: {} };

// To ask for a video is to have it made: not before somebody sees its place.
const seen = new IntersectionObserver((places) => {
  for (const { isIntersecting, target } of places) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    target.src = target.dataset.src;
  }
});

/** Return `{ element, show(files, instead) }`; `instead` is said where there are none. */
export function gallery(which) {
  const place = h("div", { class: "frame" });
  const strip = h("div", { class: "strip", role: "group", "aria-label": `Files ${which}` });
  const caption = h("figcaption", {});
  let known;
  function choose(files, file) {
    place.dataset.kind = kindOf(file);
    fill(place, large(which, file, () => {
      place.dataset.kind = "none";
      fill(place, h("p", { class: "quiet small" }, h("a", { href: file.path, download: file.name }, file.name),
        " can't be played here"));
    }));
    fill(caption, files.length > 1 || which === "after" ? `${which}: ${file.name}` : which);
    for (const button of strip.children) button.setAttribute("aria-pressed", String(button.dataset.path === file.path));
  }
  return {
    element: h("figure", {}, place, strip, caption),
    show(files, instead) {
      const now = JSON.stringify(files);
      if (files.length && now === known) return; // or what plays would begin again
      known = now;
      strip.hidden = files.length < 2;
      fill(strip, files.map((file) => small(file, () => choose(files, file))));
      // A sound is least to look at.
      if (files.length) return choose(files, files.find((file) => kindOf(file) !== "audio") ?? files[0]);
      delete place.dataset.kind;
      fill(place, h("span", { class: "quiet small" }, instead));
      fill(caption, which);
    },
  };
}

const kindOf = ({ media_type: type }) => type.split("/")[0];

export const isPlayed = (file) => kindOf(file) in PLAYERS;

function large(which, file, onerror) {
  const { path, name } = file;
  if (isPlayed(file)) {
    const kind = kindOf(file);
    const player = h(kind, { controls: true, preload: "metadata", "data-src": path, "aria-label": `${which}: ${name}`,
      onerror, ...PLAYERS[kind] });
    seen.observe(player);
    return player;
  }
  const picture = h("img", { src: path, alt: `The picture ${which} the edit`, onload: () =>
    picture.classList.toggle("tall", picture.naturalHeight > picture.naturalWidth) });
  return h("a", { href: path, target: "_blank", rel: "noopener" }, picture);
}

function small(file, choose) {
  const isPicture = kindOf(file) === "image";
  return h("button", { type: "button", title: file.name, "aria-label": file.name, "data-path": file.path, onclick: choose },
    isPicture ? h("img", { src: file.path, alt: "", loading: "lazy" }) : kindOf(file));
}
