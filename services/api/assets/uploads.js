// Files that are dropped, pasted or chosen: sent to the server, and put into the text as Markdown.

import { send, tell } from "./session.js";

const state = (text) => {
  const element = document.querySelector("#upload-state");
  if (element) element.textContent = text;
};

/** Sends a file; gives what the server made of it. */
async function upload(file) {
  const body = new FormData();
  body.append("file", file, file.name || "picture.png");
  const response = await send("/api/v1/media", { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${file.name || "The picture"} was not uploaded. ${answer.title}: ${answer.detail}`);
  return answer;
}

const withoutExtension = (name) => name.replace(/\.[^.]*$/, "").replace(/[[\]\\]/g, "");

const markdown = ({ url, name, content_type: type }, file) =>
  type.startsWith("image/") ? `![${withoutExtension(file.name || name)}](${url})` : `[${file.name || name}](${url})`;

/** Uploads into a text: each file has its place from the beginning, and what is typed meanwhile does not move it. */
async function uploadInto(text, files) {
  for (const file of files) {
    const place = `![Uploading ${withoutExtension(file.name || "picture")} …]()`;
    insert(text, place);
    state(`Uploading ${file.name}`);
    try {
      replace(text, place, markdown(await upload(file), file));
      state("");
    } catch (error) {
      replace(text, place, "");
      state("");
      tell(error);
    }
  }
}

function insert(text, piece) {
  const { selectionStart: start, selectionEnd: end, value } = text;
  const before = start > 0 && value[start - 1] !== "\n" ? "\n\n" : "";
  const after = value[end] === "\n" ? "" : "\n";
  text.setRangeText(before + piece + after, start, end, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function replace(text, old, piece) {
  const at = text.value.indexOf(old);
  if (at < 0) return;
  text.setRangeText(piece, at, at + old.length, "preserve");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

const files = (transfer) => [...(transfer?.files ?? [])];

/** Takes what is dropped on or pasted into a text, and what is chosen with a button. */
export function takeFilesInto(text, chooser) {
  const target = text.closest(".sheet");
  onDrop(target, (dropped) => uploadInto(text, dropped));
  text.addEventListener("paste", (event) => {
    if (!files(event.clipboardData).length) return;
    event.preventDefault();
    uploadInto(text, files(event.clipboardData));
  });
  chooser.addEventListener("change", () => {
    uploadInto(text, [...chooser.files]);
    chooser.value = "";
  });
}

function onDrop(target, take) {
  const mark = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    target.classList.add("is-target");
  };
  target.addEventListener("dragenter", mark);
  target.addEventListener("dragover", mark);
  target.addEventListener("dragleave", (event) => {
    if (!target.contains(event.relatedTarget)) target.classList.remove("is-target");
  });
  target.addEventListener("drop", (event) => {
    target.classList.remove("is-target");
    if (!files(event.dataTransfer).length) return;
    event.preventDefault();
    take(files(event.dataTransfer));
  });
}

/** Takes files on a page that lists them, and shows it anew. */
export function takeFilesOnPage(chooser) {
  const take = async (chosen) => {
    for (const file of chosen) {
      state(`Uploading ${file.name}`);
      try {
        await upload(file);
      } catch (error) {
        state("");
        return tell(error);
      }
    }
    return location.reload();
  };
  onDrop(document.body, take);
  chooser.addEventListener("change", () => take([...chooser.files]));
}
