/* Tables that can be sorted: routes, error journeys, peers, processes; and the collapsed lists. */
function sortable(label, columns, rows) {
  const body = el('tbody', {});
  let by = -1, up = true;
  const render = () => {
    const order = rows.map((row, i) => ({row, i}));
    if (by >= 0) {
      const key = columns[by].key;
      order.sort((a, b) => compare(key(a.row), key(b.row), up) || a.i - b.i);
    }
    body.replaceChildren(...order.map(({row}) => el('tr', {}, columns.map(c =>
      el('td', {class: c.kind || null, 'data-label': c.head}, c.cell(row))))));
  };
  const heads = columns.map((c, i) => {
    const button = el('button', {type: 'button'}, c.head);
    const th = el('th', {scope: 'col', class: c.kind || null}, button);
    button.addEventListener('click', () => {
      up = by === i ? !up : c.kind !== 'num';
      by = i;
      heads.forEach(h => h.removeAttribute('aria-sort'));
      th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      render();
    });
    return th;
  });
  render();
  return scroller(label, el('table', {class: 'plain sortable'}, el('thead', {}, el('tr', {}, heads)), body));
}

/* What is not known comes last, whichever way the rest goes. */
function compare(a, b, up) {
  const empty = v => v === null || v === undefined || Number.isNaN(v);
  if (empty(a) || empty(b)) return empty(a) - empty(b);
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return up ? order : -order;
}

function change(r) {
  const a = part(r.calm).p95_ms, b = part(r.fault).p95_ms;
  return a > 0 && isNumber(b) ? b / a : null;
}

function routes(doc) {
  const rows = list(doc.routes);
  if (rows.length === 0) return null;
  const of = (when, key, show) => ({head: key === 'count' ? t(when) : key.replace('_ms', ''), kind: 'num',
    key: r => part(r[when])[key], cell: r => show(part(r[when])[key])});
  const errors = when => ({head: t('errors'), kind: 'num', key: r => part(r[when]).errors, cell: r => {
    const seen = part(r[when]);
    return seen.errors > 0 ? el('span', {class: 'bad-text'}, whole(seen.errors), ' (' + percent(seen.errors / seen.count) + ')') : whole(seen.errors);
  }});
  const side = when => [of(when, 'count', whole), of(when, 'p50_ms', millis), of(when, 'p95_ms', millis), of(when, 'p99_ms', millis), errors(when)];
  const factor = {head: 'p95 ×', kind: 'num', key: change, cell: r => {
    const f = change(r);
    return f === null ? '–' : el('span', {class: f >= 3 ? 'bad-text' : ''}, f.toFixed(f < 10 ? 1 : 0));
  }};
  return section('routes', t('Routes'), t('The same routes while no fault was active (calm) and while one was (fault).'),
    el('div', {class: 'card'}, sortable(t('Routes'), [
      {head: t('route'), key: r => r.route, cell: r => el('code', {}, r.route)}, ...side('calm'), ...side('fault'), factor], rows)));
}

function statusBadge(code) {
  if (!isNumber(code)) return el('span', {class: 'quiet'}, t('none'));
  return el('span', {class: 'status c' + Math.floor(code / 100)}, code);
}

function journeys(doc) {
  const rows = list(doc.journeys);
  if (rows.length === 0) return null;
  const steps = text => String(text).split(' > ').map((s, i) => [i > 0 && el('span', {class: 'arrow'}, ' → '), el('code', {}, s)]);
  return section('journeys', [t('What became of errors'), t('Errors')], t('From the failed call to the answer that the user got.'),
    el('div', {class: 'card'}, sortable(t('Error journeys'), [
      {head: t('operation'), key: r => r.operation, cell: r => el('code', {}, r.operation)},
      {head: t('error'), key: r => r.errno, cell: r => [r.errno ? el('code', {}, r.errno) : t('delay'),
        !r.injected && el('span', {class: 'tag'}, t('real'))]},
      {head: t('exception'), key: r => r.exception, cell: r => (r.exception ? steps(r.exception) : '–')},
      {head: t('caught by'), key: r => r.handler, cell: r => (r.handler ? el('span', {class: 'place'}, r.handler) : t('not seen'))},
      {head: t('status'), key: r => r.status, cell: r => statusBadge(r.status)},
      {head: t('times'), kind: 'num', key: r => r.count, cell: r => whole(r.count)}], rows)));
}

function verdictLists(doc) {
  const group = (id, title, why, rows) => el('details', {class: 'card fold', id},
    el('summary', {}, title, el('span', {class: 'count'}, rows.length), el('span', {class: 'quiet'}, why)),
    rows.length === 0 ? el('p', {class: 'quiet'}, t('None.')) : el('ul', {class: 'verdicts'}, rows.map(r => el('li', {},
      el('p', {}, el('code', {class: 'rule'}, r.rule), ' ', el('b', {}, r.title), r.site && [' · ', qualified(r.site)]),
      el('p', {class: 'quiet'}, r.reason), r.how && el('p', {class: 'how'}, el('code', {}, r.how))))));
  return section('rest', [t('Everything else that was looked at'), t('The rest')], null,
    group('passed', t('Passed'), t('put to the test and held'), list(doc.passed)),
    group('not-exercised', t('Not exercised'), t('applies here, but no fault put it to the test'), list(doc.not_exercised)),
    group('unclear', t('Unclear'), t('the evidence is missing or contradicts itself'), list(doc.unclear)),
    group('not-applicable', t('Not applicable'), t('the thing does not exist here'), list(doc.not_applicable)));
}

function surroundings(doc) {
  const peers = list(doc.peers), processes = list(doc.processes);
  return section('around', [t('Peers and processes'), t('Peers')], null, el('div', {class: 'pair'},
    el('div', {class: 'card'}, el('h3', {}, t('Peers')), peers.length === 0 ? el('p', {class: 'quiet'}, t('None were seen.')) : sortable(t('Peers'), [
      {head: t('peer'), key: p => p.name, cell: p => el('code', {}, p.name)}, {head: t('role'), key: p => p.role, cell: p => p.role || '–'},
      {head: t('calls'), kind: 'num', key: p => p.calls, cell: p => whole(p.calls)},
      {head: t('faults'), kind: 'num', key: p => p.faults, cell: p => whole(p.faults)},
      {head: t('real failures'), kind: 'num', key: p => p.failures, cell: p => whole(p.failures)}], peers)),
    el('div', {class: 'card'}, el('h3', {}, t('Processes')), sortable(t('Processes'), [
      {head: 'pid', kind: 'num', key: p => p.pid, cell: p => p.pid}, {head: t('command'), key: p => p.command, cell: p => el('code', {class: 'wrap'}, p.command)},
      {head: 'python', key: p => p.python, cell: p => p.python || '–'},
      {head: t('exit'), kind: 'num', key: p => p.exit, cell: p => (isNumber(p.exit) ? p.exit : '–')}], processes))));
}

function method(doc) {
  const run = part(doc.run), blind = list(doc.blind_spots);
  return section('method', [t('Method and blind spots'), t('Method')], null, el('div', {class: 'pair'},
    el('div', {class: 'card'}, el('h3', {}, t('Evidence at hand')), el('ul', {class: 'tiers'}, list(run.tiers).map(tier =>
      el('li', {class: tier.available ? '' : 'missing'}, el('span', {class: 'tick-box', 'aria-hidden': 'true'}),
        el('span', {}, el('b', {}, tier.name), el('span', {class: 'sr'}, ' ' + t(tier.available ? 'available' : 'missing')),
          tier.note && el('span', {class: 'quiet'}, ' ' + tier.note)))))),
    el('div', {class: 'card'}, el('h3', {}, t('What could not be seen')),
      blind.length === 0 ? el('p', {class: 'quiet'}, t('Nothing is known to be missing.')) : el('ul', {class: 'blind'}, blind.map(b => el('li', {}, b))),
      el('p', {class: 'quiet'}, plural(run.lost_events || 0, '{1} event lost.', '{1} events lost.')),
      el('h3', {}, t('Versions')), el('dl', {class: 'versions'}, Object.entries(part(run.versions)).map(([name, version]) =>
        el('div', {}, el('dt', {}, name), el('dd', {}, String(version))))))),
    el('p', {class: 'quiet method'}, t('The score is the mean over what was judged, weighted by how much is at stake and how sure we are.') + ' ' +
      t('What was not judged lowers nothing and raises nothing: it widens the interval. The lower end is the score if all of it failed, the upper end if all of it passed.')));
}
