// Which items of a list are selected: rows of this page, or everything that matches the filter.
import { number } from "./format.js";

export class Selection extends EventTarget {
  #list;
  #idsName;
  #none;
  #everything = false;
  #last = null; // the box that was clicked last, where a range begins

  /** `list` is the element; `idsName` what the server calls the ids; `none` is said while nothing is selected. */
  constructor(list, idsName, none) {
    super();
    this.#list = list;
    this.#idsName = idsName;
    this.#none = none;
  }

  start() {
    this.#list.addEventListener("click", (event) => this.#click(event));
    document.getElementById("select-matching").addEventListener("click", () => this.#set(() => true, true));
    document.getElementById("clear-selection").addEventListener("click", () => this.clear());
    this.#show(); // a browser restores check boxes when it goes back to a page
  }

  /** How the server is told: {<idsName>} or {filter}. */
  get body() {
    if (this.#everything) return { filter: JSON.parse(this.#list.dataset.filter) };
    return { [this.#idsName]: this.#checked.map((box) => box.value) };
  }

  /** Whether everything that matches is selected, also what is not on this page. */
  get isEverything() {
    return this.#everything;
  }

  get size() {
    return this.#everything ? this.#total : this.#checked.length;
  }

  clear() {
    this.#set(() => false);
  }

  /** Put the list of `page`, a newer version of this document, in place, and keep what is selected. */
  replaceList(page) {
    const kept = new Set(this.#checked.map((box) => box.value));
    const list = page.getElementById(this.#list.id);
    this.#list.replaceChildren(...list.children);
    delete this.#list.dataset.capped;
    Object.assign(this.#list.dataset, list.dataset);
    this.#last = null;
    this.#set((box) => this.#everything || kept.has(box.value), this.#everything);
  }

  /** As many match by now. */
  setTotal(total) {
    this.#list.dataset.total = total;
    this.#show();
  }

  #click(event) {
    const box = event.target.closest('input[type="checkbox"]');
    if (!box) return;
    if (box.id === "select-page") return this.#set(() => box.checked);
    const range = event.shiftKey && this.#last ? this.#between(this.#last, box) : [box];
    for (const other of range) other.checked = box.checked;
    this.#last = box;
    this.#everything = false;
    this.#show();
  }

  #between(from, to) {
    const ends = [this.#boxes.indexOf(from), this.#boxes.indexOf(to)].sort((a, b) => a - b);
    return this.#boxes.slice(ends[0], ends[1] + 1);
  }

  #set(wanted, everything = false) {
    for (const box of this.#boxes) box.checked = wanted(box);
    this.#everything = everything;
    this.#show();
  }

  get #boxes() {
    return [...this.#list.querySelectorAll("input.select-row")];
  }

  get #checked() {
    return this.#boxes.filter((box) => box.checked);
  }

  get #total() {
    return Number(this.#list.dataset.total);
  }

  /** `size` in words: a list that was not counted to its end has "10,000+". */
  get sizeText() {
    return this.#everything ? this.#totalText : number(this.size);
  }

  get #totalText() {
    return `${number(this.#total)}${"capped" in this.#list.dataset ? "+" : ""}`;
  }

  #show() {
    const onPage = this.#boxes.length;
    const checked = this.#checked.length;
    for (const box of this.#boxes) box.closest("tr").classList.toggle("selected", box.checked);
    const head = document.getElementById("select-page");
    if (head) {
      head.checked = checked > 0 && checked === onPage;
      head.indeterminate = checked > 0 && checked < onPage;
    }
    document.getElementById("selection-text").textContent = this.#text(checked);
    const matching = document.getElementById("select-matching");
    matching.textContent = `Select all ${this.#totalText} that match`;
    matching.hidden = this.#everything || checked === 0 || checked < onPage || this.#total <= onPage;
    document.getElementById("clear-selection").hidden = this.size === 0;
    this.dispatchEvent(new Event("change"));
  }

  #text(checked) {
    if (this.#everything) return `All ${this.#totalText} that match are selected`;
    return checked ? `${number(checked)} selected` : this.#none;
  }
}
