// The page of `listen --web`. Every text of a span goes through text nodes: nothing here makes markup of it.
'use strict';

const $ = id => document.getElementById(id);
const show = (id, is) => { $(id).hidden = !is; };
const put = (id, ...nodes) => $(id).replaceChildren(...nodes.filter(Boolean));

/** Makes an element: `tag.class`, then attributes (`style` takes properties, `on…` a function) where there are some. */
function h(what, ...rest) {
  const [tag, ...classes] = what.split('.');
  const node = /^(svg|path)$/.test(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  if (classes.length) node.setAttribute('class', classes.join(' '));
  const attributes = rest[0]?.constructor === Object ? rest.shift() : {};
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'style') for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else if (name.startsWith('on')) node[name] = value;
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...rest.filter(child => child || child === ''));
  return node;
}
const button = (what, onclick, more, text) => h('button' + what, { type: 'button', onclick, ...more }, text);
const dot = colour => h('i.dot', { style: { background: colour } });
const flag = is => is && h('b.flag', { role: 'img', 'aria-label': 'Error' }, '✗ ');
const plural = (count, one) => `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
const clock = (ms, second = '2-digit') => new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second });

function took(ns) {
  if (ns >= 6e11) return `${Math.round(ns / 6e10)} min`;
  const [unit, size] = [['s', 1e9], ['ms', 1e6], ['µs', 1e3]].find(([, size]) => ns >= size * 0.9995) ?? ['ns', 1];
  const value = ns / size;
  return `${value.toFixed(size === 1 || value >= 99.95 ? 0 : value < 9.995 ? 2 : 1)} ${unit}`;
}

/** A service has the colour in which it was seen first. */
const seen = new Map();
const colour = place => `var(--s${place % 8})`;
const hue = service => colour((seen.has(service) ? seen : seen.set(service, seen.size)).get(service));

// Asking, and news

class Refused extends Error {}
let stream, isPaused = false, isOut = false;

async function ask(question) {
  const response = await fetch('api?' + encodeURIComponent(JSON.stringify(question)));
  if (response.status === 401) {
    isOut = true;
    stream?.close();
    for (const id of ['empty', 'traces', 'query']) show(id, false);
    put('out', h('h2', 'This browser was not let in'), h('p', await response.text()));
    show('out', true);
    throw new Refused();
  }
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error);
  return answer;
}

/** Runs one at a time, at most half of the time, and once more where it was called meanwhile. */
function single(work) {
  let isRunning = false, isWanted = false;
  return async () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    while (isWanted) {
      const begun = Date.now();
      isWanted = false;
      try { await work(); } catch (error) { if (!(error instanceof Refused || error instanceof TypeError)) throw error; }
      await new Promise(done => setTimeout(done, Date.now() - begun));
    }
    isRunning = false;
  };
}

const refresh = single(async () => {
  await readList();
  if (view().name === 'query' && query) await runQuery(query.asked);
});

function connect() {
  stream?.close();
  stream = new EventSource('events');
  stream.onopen = () => tell('live');
  stream.onmessage = () => isPaused || refresh();
  stream.onerror = () => tell('lost');
}

function tell(state) {
  const now = state === 'live' && isPaused ? 'paused' : state;
  $('state').dataset.state = now;
  $('state').textContent = { live: 'Live', paused: 'Paused', lost: 'No connection: has listen ended?' }[now];
}

function pause() {
  isPaused = !isPaused;
  $('pause').setAttribute('aria-pressed', isPaused);
  tell('live');
  if (!isPaused) refresh();
}

// Where we are: #traces, #trace/ID/SPAN, #query

function view() {
  const [name, id, span] = location.hash.slice(1).split('/');
  return name === 'trace' && id ? { name, id, span } : { name: name === 'query' ? name : 'traces' };
}

function go(hash) { if (location.hash !== hash) history.pushState(null, '', hash); route(); }

function route() {
  if (isOut) return;
  const { name, id, span } = view();
  const isQuery = name === 'query', isEmpty = !isQuery && !inMemory;
  show('empty', isEmpty);
  show('query', isQuery);
  show('traces', !isQuery && !isEmpty);
  document.body.classList.toggle('open', !!id);
  $('go-traces').ariaCurrent = isQuery ? null : 'page';
  $('go-query').ariaCurrent = isQuery ? 'page' : null;
  if (id) openTrace(id, span);
  else if (isQuery && !query) runQuery(typed());
  mark();
}

// The list of traces

let list = [], inMemory = null, saidAt = 0;
/** What the list is narrowed to: `{ label, filter, cell }`. */
let narrowed = null;

async function readList() {
  const { filter, cell } = narrowed ?? {};
  const answer = await ask({ ask: 'traces', order: $('order').value, text: $('text').value, filter, cell });
  const known = new Set(list.map(row => row.id));
  const isFirst = !inMemory;
  list = answer.traces;
  inMemory = answer.in_memory;
  if (isFirst) { tellHow(answer.endpoint); route(); }
  const parts = [plural(answer.total, 'trace'), answer.errors && `${answer.errors} with errors`,
    answer.total > list.length && `the first ${list.length} shown`, answer.left && `${answer.left} older ones left memory`];
  $('counts').textContent = parts.filter(Boolean).join(', ');
  show('narrowed', narrowed);
  if (narrowed) put('narrowed', h('span', narrowed.label), button('', () => { narrowed = null; readList(); }, {}, 'Show all'));
  put('list', ...list.map(row => item(row, !isFirst && !known.has(row.id))), !list.length && h('p.none', 'No trace matches.'));
  mark();
  if (Date.now() - saidAt > 5000) { saidAt = Date.now(); $('said').textContent = $('counts').textContent; }
  const { id } = view(), row = list.find(row => row.id === id);
  if (row && fall.trace?.id === id && fall.trace.spans !== row.spans) openTrace(id, active()?.[6], true);
}

function item(row, isNew) {
  const onclick = () => { $('list').focus(); go(hashOf(row)); };
  return h(`div.item${row.errors ? '.bad' : ''}${isNew ? '.new' : ''}`, { role: 'option', id: `t-${row.id}`, onclick },
    h('span.name', flag(row.errors), row.name),
    h('span.num', took(row.duration_ns)),
    h('span.sub', dot(hue(row.service)), row.service + (row.services > 1 ? ` +${row.services - 1}` : ''), !row.is_rooted && h('em', 'root not here')),
    h('span.num.sub', `${plural(row.spans, 'span')} · ${clock(row.start_ms)}`));
}

const hashOf = row => `#trace/${row.id}${row.span ? '/' + row.span : ''}`;

/** Marks the open trace in the list. */
function mark() {
  const { id } = view();
  for (const node of $('list').children) node.ariaSelected = node.id === `t-${id}`;
  $(`t-${id}`)?.scrollIntoView({ block: 'nearest' });
  $('list').setAttribute('aria-activedescendant', id ? `t-${id}` : '');
}

function step(by) {
  const at = list.findIndex(row => row.id === view().id);
  const row = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by))];
  if (row) go(hashOf(row));
}

// One trace. A row: depth, name, service, start, duration, is it an error, id, is its parent missing.

const ROW = 26;
/** `view` has the places of the rows that no closed parent hides; `at` is the active one's place in it. */
const fall = { trace: null, view: [], closed: new Set(), at: 0 };
const active = () => fall.trace?.rows[fall.view[fall.at]];
const isParent = place => fall.trace.rows[place + 1]?.[0] > fall.trace.rows[place][0];

async function openTrace(id, span, isAgain) {
  if (fall.trace?.id === id && !isAgain) { if (span && span !== active()?.[6]) select(span); return; }
  let trace;
  try { trace = await ask({ ask: 'trace', trace: id }); } catch (error) {
    show('shown', false);
    show('none', true);
    put('none', `Trace ${id}: ${error.message}.`);
    return;
  }
  if (view().id !== id) return;
  if (!isAgain) fall.closed.clear();
  fall.trace = trace;
  show('none', false);
  show('shown', true);
  put('trace-title', trace.rows[0][1]);
  const parts = [took(trace.duration_ns), plural(trace.spans, 'span'), trace.spans > trace.rows.length && `the first ${trace.rows.length} shown`,
    trace.errors && plural(trace.errors, 'error'), clock(trace.start_ms), ''];
  put('facts', parts.filter(part => part || part === '').join(' · '), h('code', id));
  put('legend', ...trace.services.slice(0, 12).map(name => h('li', dot(hue(name)), name)));
  put('ticks', h('div.lane', ...[0, 1, 2, 3].map(part => h('span', { style: { left: `${part * 25}%` } }, took(trace.duration_ns * part / 4)))));
  select(span ?? worst(trace.rows)[6]);
}

/** The deepest error, which the others follow from; without one the root. */
function worst(rows) {
  return rows.reduce((best, row) => (row[5] && (!best[5] || row[0] > best[0]) ? row : best), rows[0]);
}

/** Finds the rows that show, and draws those in sight. */
function layOut() {
  const { rows } = fall.trace;
  let hidden = Infinity;
  fall.view = [];
  rows.forEach((row, place) => {
    if (row[0] > hidden) return;
    hidden = fall.closed.has(row[6]) ? row[0] : Infinity;
    fall.view.push(place);
  });
  $('rows').setAttribute('aria-rowcount', fall.view.length);
  $('space').style.height = `${fall.view.length * ROW}px`;
}

function draw() {
  const box = $('rows'), nodes = [];
  const end = Math.min(fall.view.length, (box.scrollTop + box.clientHeight) / ROW + 8);
  for (let at = Math.max(0, Math.floor(box.scrollTop / ROW) - 8); at < end; at++) nodes.push(bar(at));
  put('space', ...nodes);
}

function bar(at) {
  const place = fall.view[at];
  const [depth, name, service, start, duration, isError, id, isOrphan] = fall.trace.rows[place];
  const label = fall.trace.services[service], isOpen = !fall.closed.has(id);
  const part = ns => Math.min(100, ns / Math.max(1, fall.trace.duration_ns) * 100);
  const onclick = event => {
    $('rows').focus();
    pick(at);
    if (event.target.matches('.twist')) toggle(isOpen);
  };
  return h(`div.row${isError ? '.bad' : ''}`, {
    role: 'row', id: `s-${id}`, style: { top: `${at * ROW}px`, '--c': hue(label) }, onclick,
    'aria-rowindex': at + 1, 'aria-level': depth + 1, 'aria-selected': at === fall.at, 'aria-expanded': isParent(place) ? isOpen : undefined,
  },
  h('span.tree', { role: 'gridcell', style: { '--d': Math.min(depth, 12) } },
    h('span.twist', { 'aria-hidden': true }, isParent(place) && (isOpen ? '▾' : '▸')), flag(isError),
    h('span.label', { title: name }, name), isOrphan && h('em', 'parent not here')),
  h('span.svc', { role: 'gridcell' }, label),
  h('span.lane', { 'aria-hidden': true }, h('i', { style: { left: `min(${part(start)}%, 100% - 3px)`, width: `max(3px, ${part(duration)}%)` } })),
  h('span.num', { role: 'gridcell' }, took(duration)));
}

/** Makes the row at this place of the view the active one. */
function pick(at) {
  fall.at = Math.min(fall.view.length - 1, Math.max(0, at));
  const box = $('rows'), top = fall.at * ROW, id = active()[6];
  box.scrollTop = Math.max(Math.min(box.scrollTop, top), top + ROW - box.clientHeight);
  draw();
  box.setAttribute('aria-activedescendant', `s-${id}`);
  history.replaceState(null, '', `#trace/${fall.trace.id}/${id}`);
  readSpan();
}

/** Opens what hides a span, and picks it. */
function select(id) {
  const { rows } = fall.trace;
  const place = Math.max(0, rows.findIndex(row => row[6] === id));
  for (let above = place, depth = rows[place][0]; above >= 0; above--) {
    if (rows[above][0] < depth) { depth = rows[above][0]; fall.closed.delete(rows[above][6]); }
  }
  layOut();
  pick(fall.view.indexOf(place));
}

/** Opens or closes the active span; one that has nothing to close leads to its parent. */
function toggle(isClosing) {
  const [depth,,,,,, id] = active();
  if (!isClosing) fall.closed.delete(id);
  else if (isParent(fall.view[fall.at]) && !fall.closed.has(id)) fall.closed.add(id);
  else { pick(fall.view.findLastIndex((place, at) => at < fall.at && fall.trace.rows[place][0] < depth)); return; }
  layOut();
  pick(fall.at);
}

function nextError(by) {
  const { rows } = fall.trace;
  for (let place = fall.view[fall.at] + by; rows[place]; place += by) if (rows[place][5]) { select(rows[place][6]); return; }
}

const readSpan = single(async () => {
  const span = await ask({ ask: 'span', trace: fall.trace.id, span: active()[6] });
  if (active()?.[6] === span.span) details(span);
});

/** A name that may be broken behind its dots. */
const soft = name => name.split(/(?<=[._/])/).flatMap(part => [part, h('wbr')]);

function pairs(rows, isAsking) {
  const act = (name, value) => button('', () => { $('where').value = `${name} = "${value}"`; runQuery(typed()); go('#query'); },
    { 'aria-label': `Query where ${name} is ${value.slice(0, 80)}` }, 'query');
  return h('table', h('tbody', ...rows.map(([name, value]) => h('tr', h('th', { scope: 'row' }, ...soft(name)), h('td', isAsking && act(name, value), value)))));
}

function details(span) {
  const part = (title, rows, ...nodes) => h('section', h('h4', title, h('small', ` ${rows.length}`)), ...nodes);
  const facts = Object.entries({
    service: span.service, kind: span.kind, status: span.status, scope: span.scope, span: span.span, parent: span.parent ?? 'none',
    started: `${clock(span.start_ms)}.${String(Math.floor(span.start_ms % 1000)).padStart(3, '0')}`,
  });
  put('span',
    h('h3', dot(hue(span.service)), span.name),
    h('p.big', took(span.duration_ns), h('small', ` of ${took(fall.trace.duration_ns)}`)),
    span.status === 'error' && h('p.failure', flag(true), span.failure || 'It does not say why.'),
    span.asked_by_us && h('p', 'Asked by `cruddur-ops verify --app`.'),
    part('Attributes', span.attributes, pairs(span.attributes, true)),
    span.events.length && part('Events', span.events, ...span.events.map(event => h('div.event', h('p', h('b', event.name), ` after ${took(event.after_ns)}`), pairs(event.attributes)))),
    h('details', h('summary', 'Span and resource'), pairs(facts), pairs(span.resource)),
    span.left_out && h('p', `${span.left_out} more are not shown.`));
}

// The query

const FIGURES = ['COUNT', 'P50', 'P90', 'P99', 'HEATMAP'];
const GUIDE = {
  traces: [['COUNT'], 'app.now exists', 'trace.trace_id'],
  latency: [['HEATMAP', 'P90'], 'cruddur_ops.test does-not-exist', ''],
};
/** The last one: `{ asked, answer }`. */
let query = null;

const typed = () => ({ where: $('where').value.split('\n'), by: $('by').value.split(',').map(name => name.trim()).filter(Boolean), last: Number($('last').value) });

async function runQuery(asked) {
  try {
    query = { asked, answer: await ask({ ask: 'query', ...asked }) };
    show('wrong', false);
    drawQuery();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    put('wrong', error.message);
    show('wrong', true);
  }
}

function guide(name) {
  const [figures, where, by] = GUIDE[name];
  for (const one of FIGURES) $(`f-${one}`).checked = figures.includes(one);
  $('where').value = where;
  $('by').value = by;
  runQuery(typed());
}

const text = value => (value === null ? '—' : typeof value === 'string' ? value : JSON.stringify(value));
const groupColour = (by, at) => (query.asked.by.join() === 'service.name' ? hue(text(by[0])) : colour(at));
const timeOf = column => query.answer.times[column] / 1e6;

function drawQuery() {
  const { answer } = query;
  const focus = document.activeElement?.dataset.at;
  const figures = FIGURES.filter(name => $(`f-${name}`).checked);
  $('asked').textContent = answer.spans ? `${plural(answer.spans, 'span')} in ${plural(answer.groups.length, 'group')}` : 'No span matches in this time.';
  put('columns', ...answer.columns.map(value => h('option', { value })));
  put('charts', ...figures.map(name => answer.spans && (name === 'HEATMAP' ? heatmap() : chart(name))));
  if (focus) $('charts').querySelector(`[data-at="${focus}"]`)?.focus();
  drawTable(figures.filter(name => name !== 'HEATMAP'));
}

function figure(title, notes, plot, labels) {
  const columns = query.answer.times.length - 1;
  return h('figure', h('figcaption', title, ...notes), h('div.plot', h('div.labels', { 'aria-hidden': true }, ...labels.map(label => h('span', label))), plot),
    h('div.times', { 'aria-hidden': true }, ...[0, 1, 2, 3].map(part => h('span', clock(timeOf(Math.floor(columns * part / 4)))))));
}

function heatmap() {
  const { answer: { times, grid: { edges, cells } }, asked } = query;
  const columns = times.length - 1, rows = edges.length - 1;
  const most = Math.max(...cells.map(cell => cell[2]));
  const nodes = cells.map(([column, row, count]) => {
    const range = `${took(edges[row])} to ${took(edges[row + 1])}`;
    const label = `${plural(count, 'span')}, ${range}, ${clock(timeOf(column))}`;
    const cell = { from: times[column], to: times[column + 1], least: edges[row], most: edges[row + 1] };
    return button('.cell', () => narrow({ label: `Spans of ${range} at ${clock(timeOf(column))}`, filter: asked, cell }), {
      tabindex: -1, title: label, 'aria-label': label, 'data-at': `${column},${row}`,
      style: {
        left: `${column / columns * 100}%`, bottom: `${row / rows * 100}%`, width: `${100 / columns}%`, height: `${100 / rows}%`,
        '--v': `${22 + 78 * Math.sqrt(count / most)}%`,
      },
    });
  });
  nodes[0].tabIndex = 0;
  const plot = h('div.heat', { role: 'group', 'aria-label': 'Spans by time and duration', onkeydown: moveInHeat }, ...nodes);
  return figure('HEATMAP(duration_ms)', [h('small', `at most ${plural(most, 'span')}`)], plot, [rows, rows >> 1, 0].map(row => took(edges[row])));
}

function moveInHeat(event) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
  if (dx === undefined) return;
  event.preventDefault();
  const place = node => node.dataset.at.split(',').map(Number);
  const [x, y] = place(event.target);
  let best, least = Infinity;
  for (const node of event.currentTarget.children) {
    const [column, row] = place(node);
    const along = (column - x) * dx + (row - y) * dy, far = along + 3 * Math.abs((column - x) * dy + (row - y) * dx);
    if (along > 0 && far < least) { least = far; best = node; }
  }
  if (best) { event.target.tabIndex = -1; best.tabIndex = 0; best.focus(); }
}

/** Shows the traces of a cell or group; of a single trace its spans at once. */
async function narrow(to) {
  narrowed = to;
  $('text').value = '';
  await readList();
  const isOne = list.length === 1;
  go(isOne ? hashOf(list[0]) : '#traces');
  $(isOne ? 'rows' : 'list').focus();
}

/** COUNT as bars, one group above the other; the rest as steps. */
function chart(name) {
  const { lines, groups, times } = query.answer;
  const isCount = name === 'COUNT', place = FIGURES.indexOf(name) + 1, base = {};
  const pieces = lines.map(line => line.map(point => {
    const [column, value] = [point[0], point[place]], from = isCount ? base[column] ?? 0 : 0;
    base[column] = from + value;
    return [column, from, from + value];
  }));
  const top = Math.max(...pieces.flat().map(piece => piece[2])) || 1;
  const y = value => (100 - value / top * 96).toFixed(2);
  const paths = pieces.map((line, at) => {
    let d = '', last;
    for (const [column, from, to] of line) {
      d += isCount ? `M${column + 0.08} ${y(from)}V${y(to)}h.84V${y(from)}z` : `${column === last + 1 ? 'V' : `M${column} `}${y(to)}h1`;
      last = column;
    }
    return h(isCount ? 'path.bars' : 'path.line', { d, style: { '--c': groupColour(groups[at].by, at) } });
  });
  const unit = value => (isCount ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : took(value * 1e6));
  const columns = times.length - 1;
  const plot = h('svg', { viewBox: `0 0 ${columns} 100`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${name} over time, as in the table` },
    h('path.guide', { d: `M0 52H${columns}M0 4H${columns}` }), ...paths);
  const legend = lines.length > 1 ? groups.slice(0, lines.length).map(({ by }, at) => h('small', dot(groupColour(by, at)), by.map(text).join(', '))) : [];
  return figure(isCount ? name : `${name}(duration_ms)`, legend, plot, [unit(top), unit(top / 2), '0']);
}

function drawTable(figures) {
  const { asked, answer: { groups, lines } } = query;
  const cell = (group, name) => (name === 'COUNT' ? group.count.toLocaleString('en') : took(group[`${name.toLowerCase()}_ms`] * 1e6));
  const open = ({ by }) => {
    const trace = by[asked.by.indexOf('trace.trace_id')];
    if (trace) return go(`#trace/${trace}`);
    const where = asked.by.map((column, at) => (by[at] === null ? `${column} does-not-exist` : `${column} = "${text(by[at])}"`));
    return narrow({ label: `Spans with ${where.join(' and ') || 'what the query asks'}`, filter: { ...asked, where: [...asked.where, ...where] } });
  };
  const head = (title, what = 'th') => h(what, { scope: 'col' }, title);
  put('table', groups.length && h('table',
    h('thead', h('tr', h('td'), ...(asked.by.length ? asked.by : ['group']).map(name => head(name)), ...figures.map(name => head(name, 'th.num')))),
    h('tbody', ...groups.map((group, at) => h('tr', h('td', at < lines.length && dot(groupColour(group.by, at))),
      ...(asked.by.length ? group.by : ['all spans']).map((value, column) => h('td', column ? text(value) : button('.link', () => open(group), {}, text(value)))),
      ...figures.map(name => h('td.num', cell(group, name))))))));
}

// Nothing there yet

function tellHow(endpoint) {
  if (inMemory || !endpoint) return;
  const hex = bytes => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), byte => byte.toString(16).padStart(2, '0')).join('');
  const now = Date.now();
  const span = { traceId: hex(16), spanId: hex(8), name: 'hello', startTimeUnixNano: `${now - 120}000000`, endTimeUnixNano: `${now}000000` };
  const attributes = [{ key: 'service.name', value: { stringValue: 'hello' } }];
  const body = JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] });
  const ways = {
    'From a docker-compose project': 'cruddur-ops init --provider local\ndocker compose up --build',
    'From an OpenTelemetry SDK': `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`,
    'One span, by hand': `curl ${endpoint}/v1/traces -H 'content-type: application/json' -d '${body}'`,
  };
  const copy = code => button('', event => navigator.clipboard?.writeText(code).then(() => { event.target.textContent = 'Copied'; }), {}, 'Copy');
  put('how', ...Object.entries(ways).flatMap(([title, code]) => [h('h3', title), h('div.code', h('pre', { tabindex: 0 }, code), copy(code))]));
}

// Keys

const inTrace = work => view().id && fall.trace && work();
const inList = () => document.activeElement === $('list') || !view().id;
const toTraces = () => { go('#traces'); $('list').focus(); };
const help = () => $('help').showModal();
const KEYS = {
  '?': ['Show these keys', help],
  t: ['Traces', toTraces],
  q: ['Query', () => { go('#query'); $('where').focus(); }],
  '/': ['Find a trace, or type a condition', () => $(view().name === 'query' ? 'where' : 'text').focus()],
  j: ['Next span, or trace', () => (inList() ? step(1) : inTrace(() => pick(fall.at + 1)))],
  k: ['Previous span, or trace', () => (inList() ? step(-1) : inTrace(() => pick(fall.at - 1)))],
  h: ['Close a span, or go to its parent', () => inTrace(() => toggle(true))],
  l: ['Open a span', () => inTrace(() => toggle(false))],
  e: ['Next error in the trace', () => inTrace(() => nextError(1))],
  E: ['Previous error', () => inTrace(() => nextError(-1))],
  ']': ['Next trace', () => step(1)],
  '[': ['Previous trace', () => step(-1)],
  p: ['Pause or resume', pause],
  d: ['Dark, light, or as the system', turnTheme],
  Enter: ['From the list to the spans, and on to the attributes; run the query'],
  Esc: ['Back'],
  Arrows: ['As j, k, h, l; in the heatmap, the next cell'],
};
const ARROWS = { ArrowDown: 'j', ArrowUp: 'k', ArrowLeft: 'h', ArrowRight: 'l' };
const LEAPS = { PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };

function press(event) {
  const { key, target } = event;
  const isRows = target === $('rows'), isList = target === $('list');
  if (key === 'Escape') return target.matches('input, textarea, select') ? target.blur() : $('span').contains(target) ? $('rows').focus() : view().id && toTraces();
  if (key === 'Enter' && target === $('where') && !event.shiftKey) return runQuery(typed());
  if (target.matches('input:not([type=checkbox]), textarea, select')) return true;
  if (isRows || isList) {
    if (key === 'Enter') return isRows ? $('span').focus() : (view().id || step(0), $('rows').focus());
    if (LEAPS[key]) return isRows ? pick(fall.at + LEAPS[key]) : step(LEAPS[key]);
    if (ARROWS[key]) return KEYS[ARROWS[key]][1]();
  }
  const work = KEYS[key]?.[1];
  return work ? work() : true;
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || $('help').open) return;
  if (press(event) !== true) event.preventDefault();
});

// Dark and light

const THEMES = ['Auto', 'Dark', 'Light'];
function turnTheme() { paint(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % 3]); }
function paint(theme) {
  document.documentElement.dataset.theme = theme;
  put('theme', '◐', h('span', ` ${theme}`));
  $('theme').ariaLabel = `Theme: ${theme}`;
  // A browser may keep nothing.
  try { localStorage.theme = theme; } catch { return; }
}

let kept;
try { kept = localStorage.theme; } catch { kept = ''; }
paint(THEMES.includes(kept) ? kept : 'Auto');
put('key-list', ...Object.entries(KEYS).flatMap(([name, [meaning]]) => [h('dt', h('kbd', name)), h('dd', meaning)]));
put('figures', ...FIGURES.map(name => h('label', h('input', { type: 'checkbox', id: `f-${name}`, onchange: () => query && drawQuery() }), name)));
for (const name of ['COUNT', 'P90', 'HEATMAP']) $(`f-${name}`).checked = true;
$('keys').onclick = help;
$('theme').onclick = turnTheme;
$('pause').onclick = pause;
$('back').onclick = toTraces;
$('order').onchange = $('text').oninput = single(readList);
$('find').onsubmit = event => { event.preventDefault(); $('list').focus(); };
$('ask').onsubmit = event => { event.preventDefault(); runQuery(typed()); };
$('last').onchange = () => runQuery(typed());
for (const node of document.querySelectorAll('[data-guide]')) node.onclick = () => guide(node.dataset.guide);
$('rows').onscroll = draw;
new ResizeObserver(draw).observe($('rows'));
window.onhashchange = route;
document.onvisibilitychange = () => {
  if (isOut) return;
  if (document.hidden) stream?.close(); else { connect(); refresh(); }
};
refresh().then(() => isOut || connect());
