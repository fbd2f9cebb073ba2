"use strict";
// The page can be read without this script. With it, a cell of a table is explained, and the page
// can be searched. All texts are put in as text, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.documentElement.className = "live";

  const make = (tag, css, ...children) => {
    const element = document.createElement(tag);
    if (css) element.className = css;
    element.append(...children);
    return element;
  };

  // The same order of fields as in page.py.
  const explanation = (number) => {
    const [call, answer, fate, ...steps] = data.explanations[number];
    const text = (index) => data.strings[index];
    return {
      call: text(call), answer: text(answer), fate: text(fate),
      steps: steps.map(([name, classes, place, outcome, reason, next, ...numbers]) => {
        const [rank, implementation, registry, row, column] = numbers;
        return {
          name: text(name), classes: text(classes), place: text(place), outcome: text(outcome),
          reason: text(reason), next: text(next), rank, implementation, registry, row, column,
        };
      }),
    };
  };

  const verdicts = {
    own: "runs", inherited: "runs", fallback: "ends at the fallback,",
    nothing: "finds", undecided: "is decided", failed: "raises",
  };

  const badge = (registry) => {
    const [name, tint] = data.registries[registry];
    return make("span", `badge ${tint}`, make("i", "", String(registry)), make("span", "", name));
  };

  const stepItem = (step) => {
    const tint = step.registry ? data.registries[step.registry][1] : "";
    const name = make(step.implementation ? "a" : "span", "", make("code", "", step.name));
    if (step.implementation) name.href = `#i${step.implementation}`;
    const head = make("p", "", name, " ");
    if (step.classes) head.append(make("code", "faint", step.classes));
    const item = make("div", "", head);
    const reason = step.outcome === "fallback" ? step.reason : `${step.outcome}: ${step.reason}`;
    item.append(make("p", "reason", reason));
    if (step.next) item.append(make("p", "reason", "call_next goes to ", make("code", "", step.next)));
    const where = make("p", "");
    if (step.registry) where.append(badge(step.registry), " ");
    if (step.place) where.append(make("span", "place", step.place));
    if (where.childNodes.length) item.append(where);
    return make("li", `${step.outcome} ${tint}`, make("i", "", step.rank ? String(step.rank) : "·"), item);
  };

  const explain = (cell, panel) => {
    const { call, answer, fate, steps } = explanation(cell.dataset.why);
    const verdict = make("p", "verdict", make("code", "", call), ` ${verdicts[fate]} `);
    verdict.append(make("strong", "", answer));
    verdict.setAttribute("role", "status");
    panel.replaceChildren(verdict, make("ol", "", ...steps.map(stepItem)));
  };

  const cellsOf = (grid) => all("tbody tr", grid).map((row) => all("td", row));

  const mark = (cell, grid) => {
    for (const old of all(".mark", grid)) old.remove();
    const cells = cellsOf(grid);
    for (const { rank, row, column } of explanation(cell.dataset.why).steps) {
      if (!rank || row < 0) continue;
      const target = cells[row][column];
      const known = target.querySelector(".mark");
      if (known) known.textContent += ` ${rank}`;
      else target.append(make("span", "mark", String(rank)));
    }
    for (const other of all(".on", grid)) other.classList.remove("on");
    cell.parentNode.firstElementChild.classList.add("on");
    all("thead th", grid)[cells[cell.parentNode.rowIndex - 1].indexOf(cell)].classList.add("on");
  };

  for (const dispatch of all(".dispatch")) {
    const panel = dispatch.querySelector(".why");
    const grids = all("table", dispatch);

    const select = (cell) => {
      const grid = cell.closest("table");
      for (const other of all("[aria-selected]", dispatch)) {
        other.removeAttribute("aria-selected");
        other.tabIndex = -1;
      }
      cell.setAttribute("aria-selected", "true");
      cell.tabIndex = 0;
      const scroller = grid.parentNode;
      const hidden = cell.offsetLeft + cell.offsetWidth - scroller.clientWidth;
      if (hidden > scroller.scrollLeft) scroller.scrollLeft = hidden;
      mark(cell, grid);
      explain(cell, panel);
    };

    const show = (index) => {
      for (const part of all("[data-slice]", dispatch)) part.hidden = part.dataset.slice !== index;
      const grid = grids[index];
      // The cell with the longest way through the registries has most to show.
      const length = (cell) => explanation(cell.dataset.why).steps.filter((step) => step.rank).length;
      select(all("td[data-why]", grid).reduce((best, cell) => (length(cell) > length(best) ? cell : best)));
    };

    for (const grid of grids) {
      for (const cell of all("td[data-why]", grid)) {
        cell.tabIndex = -1;
        cell.addEventListener("click", () => cell.focus());
        cell.addEventListener("focus", () => select(cell));
      }
      grid.addEventListener("keydown", (event) => {
        const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
        const cells = cellsOf(grid);
        const row = event.target.parentNode.rowIndex - 1;
        if (!(event.key in moves) || row < 0) return;
        const [down, right] = moves[event.key];
        const next = cells[row + down]?.[cells[row].indexOf(event.target) + right];
        event.preventDefault();
        next?.focus();
      });
    }
    for (const choice of all(".slices input", dispatch)) {
      choice.addEventListener("change", () => show(choice.value));
    }
    show("0");
  }

  const search = document.getElementById("search");
  const sections = all(".generic");

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (text) => words.every((word) => text.includes(word));
    let shown = 0;
    let total = 0;
    for (const section of sections) {
      const whole = has(section.dataset.text);
      const rows = all(".implementations tbody tr", section);
      total += rows.length;
      let count = 0;
      for (const row of rows) {
        row.hidden = !whole && !has(`${section.dataset.text} ${row.dataset.text}`);
        if (!row.hidden) count += 1;
      }
      shown += count;
      section.hidden = count === 0;
      section.querySelector(".dispatch")?.toggleAttribute("hidden", !whole);
      for (const link of all(`[data-of="${section.id}"]`)) link.hidden = count === 0;
    }
    for (const id of ["overview", "findings"]) {
      document.getElementById(id).hidden = words.length > 0;
    }
    document.querySelector(".no-match").hidden = shown > 0 || !words.length;
    document.getElementById("matches").textContent = words.length ? `${shown} of ${total}` : "";
  };

  search.form.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape" && typing) {
      search.value = "";
      filter();
      search.blur();
    }
  });
  // A link leads to its target, though a search has hidden it.
  document.addEventListener("click", (event) => {
    if (event.target.closest('a[href^="#"]') && search.value) {
      search.value = "";
      filter();
    }
  });
})();
