// Tables that sort by a click on a head, and by the keyboard; those that scroll can be reached by it.
(() => {
  "use strict";
  const valueOf = (row, column) => {
    const text = (row.cells[column] ? row.cells[column].textContent : "").trim();
    const number = parseFloat(text.replace(/[,%]/g, ""));
    return /^[-+]?[\d,.]+\s*%?$/.test(text) ? number : text;
  };
  const compare = (one, two) => {
    const numbers = [one, two].map((each) => typeof each === "number");
    if (numbers[0] && numbers[1]) return one - two;
    if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
    return String(one).localeCompare(String(two), "en", { numeric: true });
  };
  for (const table of document.querySelectorAll(".sort table")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].filter((row) => !row.classList.contains("total"));
        const total = [...body.rows].filter((row) => row.classList.contains("total"));
        rows.sort((one, two) => (down ? -1 : 1) * compare(valueOf(one, column), valueOf(two, column)));
        body.append(...rows, ...total);
      });
    });
  }
  const reach = () => document.querySelectorAll(".table").forEach((each) => {
    const scrolls = each.scrollWidth > each.clientWidth + 1;
    each.classList.toggle("scrolls", scrolls);
    if (scrolls) {
      each.tabIndex = 0;
      each.setAttribute("role", "region");
      each.setAttribute("aria-label", "A table that scrolls sideways");
    } else each.removeAttribute("tabindex");
  });
  reach();
  window.addEventListener("resize", reach);
})();
