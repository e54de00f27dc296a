// What the HTML page can do beyond being read: choose a theme, sort and filter tables, copy
// commands. All controls that need this script are made by it.
'use strict';

function made(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// The theme. A page opened from a disk may have no storage; a choice then lasts as long as it.

function storedTheme() {
  try {
    return localStorage.getItem('convscope-theme') || 'auto';
  } catch {
    return 'auto';
  }
}

function setTheme(name) {
  if (name === 'light' || name === 'dark') document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
}

function addThemeSwitch() {
  const group = made('div', {class: 'theme', role: 'group', 'aria-label': 'Theme'});
  for (const name of ['Auto', 'Light', 'Dark']) {
    const theme = name.toLowerCase();
    const button = made('button', {type: 'button', 'aria-pressed': theme === storedTheme()}, name);
    button.addEventListener('click', () => {
      setTheme(theme);
      for (const other of group.children) other.setAttribute('aria-pressed', other === button);
      try {
        localStorage.setItem('convscope-theme', theme);
      } catch {
      }
    });
    group.append(button);
  }
  document.querySelector('header').before(group);
}

// Tables.

const collator = new Intl.Collator('en', {numeric: true});

// Numbers come before other texts, and what is empty comes last, whichever the direction.
function sortKey(cell) {
  const value = cell.dataset.v ?? cell.textContent;
  if (value.trim() === '') return {rank: 2};
  const number = value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value);
  return Number.isNaN(number) ? {rank: 1, value} : {rank: 0, value: number};
}

function compared(a, b, sign) {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.rank === 2) return 0;
  if (a.rank === 1) return sign * collator.compare(a.value, b.value);
  return a.value < b.value ? -sign : a.value > b.value ? sign : 0;
}

function enhanceTable(data) {
  const body = data.querySelector('tbody');
  const recorded = [...body.rows];
  const heads = [...data.querySelectorAll('thead th')];
  const names = heads.map((head) => head.title.toLowerCase());
  const all = data.querySelector('.all');
  const count = made('output', {'aria-live': 'polite'});
  const search = made('input', {type: 'search', autocomplete: 'off', spellcheck: 'false'});
  let sorted = {head: null, sign: 1};
  let texts = null;  // of the cells, in lower case; made when first searched

  // Each word must stand somewhere in what is seen of the row, or "column:word" in that column.
  function matcher() {
    const shown = heads.map((head) => head.offsetParent !== null);
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
      const colon = word.indexOf(':');
      const column = colon < 0 ? -1 : names.indexOf(word.slice(0, colon));
      return column < 0 ? {word, columns: shown} :
                          {word: word.slice(colon + 1), columns: names.map((_, c) => c === column)};
    });
    if (words.length === 0) return () => true;
    texts ??= new Map(recorded.map(
        (row) => [row, [...row.cells].map((cell) => cell.textContent.toLowerCase())]));
    return (row) => words.every(({word, columns}) =>
        texts.get(row).some((text, c) => columns[c] && text.includes(word)));
  }

  function show() {
    const rows = recorded.filter(matcher());
    if (sorted.head) {
      const column = heads.indexOf(sorted.head);
      const keys = new Map(rows.map((row) => [row, sortKey(row.cells[column])]));
      rows.sort((a, b) => compared(keys.get(a), keys.get(b), sorted.sign));
    }
    const fragment = document.createDocumentFragment();
    for (const row of rows) fragment.append(row);
    body.replaceChildren(fragment);
    const some = rows.length === recorded.length ? '' : `${rows.length} of `;
    count.textContent = `${some}${recorded.length} rows`;
  }

  function sortBy(head) {
    if (sorted.head !== head) sorted = {head, sign: 1};
    else sorted = sorted.sign > 0 ? {head, sign: -1} : {head: null, sign: 1};
    for (const other of heads) other.removeAttribute('aria-sort');
    if (sorted.head) head.setAttribute('aria-sort', sorted.sign > 0 ? 'ascending' : 'descending');
    show();
  }

  if (recorded.length > 1) {
    for (const head of heads) {
      const button = made('button', {type: 'button'}, ...head.childNodes);
      button.addEventListener('click', () => sortBy(head));
      head.append(button);
    }
  }
  if ('filter' in data.dataset) {
    search.addEventListener('input', show);
    search.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || search.value === '') return;
      event.preventDefault();
      search.value = '';
      show();
    });
    all?.addEventListener('change', show);
    data.querySelector('.controls').prepend(made('label', {}, 'Filter', search), count);
    count.textContent = `${recorded.length} rows`;
  }
}

// Commands.

function addCopyButton(commands) {
  const code = commands.querySelector('code');
  const button = made('button', {type: 'button'}, 'Copy');
  const said = (text) => {
    button.textContent = text;
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  };
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      said('Copied');
    } catch {
      getSelection().selectAllChildren(code);
      said('Selected');
    }
  });
  commands.append(button);
}

setTheme(storedTheme());
addEventListener('DOMContentLoaded', () => {
  addThemeSwitch();
  document.querySelectorAll('.data').forEach(enhanceTable);
  document.querySelectorAll('.commands').forEach(addCopyButton);
});
