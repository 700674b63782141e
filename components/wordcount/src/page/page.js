"use strict";
// Sends the form in the background to show how far it is. Without this script the form is sent as it stands.
const form = document.querySelector("form");
const input = form.querySelector("input");
const button = form.querySelector("button");
const progress = document.querySelector("progress");
const notice = document.querySelector("#notice");
const limit = Number(form.dataset.limit);

function tell(good, sentence, url, name) {
  notice.className = good ? "notice good" : "notice bad";
  notice.textContent = sentence;
  notice.hidden = false;
  if (url) {
    const link = document.createElement("a");
    link.href = url;
    link.textContent = name;
    notice.append(" ", link);
  }
}

function remember(file) {
  const row = document.createElement("tr");
  const link = document.createElement("a");
  link.href = file.url;
  link.textContent = file.name;
  const time = document.createElement("time");
  time.dateTime = file.uploaded_at;
  time.textContent = file.uploaded_at.slice(0, 19).replace("T", " ");
  for (const content of [link, time, file.words, file.unique_words, file.bytes]) {
    const cell = row.insertCell();
    cell.append(content);
    if (typeof content === "number") {
      cell.className = "number";
    }
  }
  document.querySelector("tbody").prepend(row);
  document.querySelector("#table").hidden = false;
  document.querySelector("#none").hidden = true;
  const total = document.querySelector("#total");
  total.textContent = Number(total.textContent) + 1;
}

function finish(request) {
  button.disabled = false;
  progress.hidden = true;
  let answer = null;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    // An answer from something in between, or none.
  }
  if (request.status === 200 && answer) {
    tell(true, answer.message, answer.url, answer.name);
    remember(answer);
    form.reset();
  } else if (answer && answer.detail) {
    tell(false, answer.detail);
  } else {
    tell(false, "The upload did not get through. Please try again.");
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = input.files[0];
  if (file && file.size > limit) {
    tell(false, `The file is larger than ${limit} bytes.`);
    return;
  }
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (step) => {
    if (step.lengthComputable) {
      progress.max = step.total;
      progress.value = step.loaded;
    }
  });
  request.addEventListener("loadend", () => finish(request));
  notice.hidden = true;
  button.disabled = true;
  progress.removeAttribute("value");
  progress.hidden = false;
  request.send(new FormData(form));
});
