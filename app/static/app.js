const ask = async (path, options) => (await fetch(path, options)).json();

document.querySelectorAll("[data-page]").forEach((section) => {
  section.hidden = section.dataset.page !== location.pathname;
});

ask("/api/health").then(({ status, revision }) => {
  const health = document.querySelector("#health");
  health.textContent = revision ? `${status} (${revision})` : status;
  health.className = status;
});

document.querySelector("#analyze").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { token, text } = Object.fromEntries(new FormData(event.target));
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await ask("/api/memory/analyze", { method: "POST", headers, body: JSON.stringify({ text }) });
  document.querySelector("#answer").textContent = JSON.stringify(answer, null, 2);
});
