/* Findings: filters, and one card each with everything that proves it. */
const filters = {text: '', severity: '', type: '', principle: '', peer: '', state: ''};
let applyFilters = () => {};

function showFindings(wanted) {
  Object.assign(filters, {text: '', severity: '', type: '', principle: '', peer: '', state: ''}, wanted);
  applyFilters();
  const target = document.getElementById('findings');
  if (target) target.scrollIntoView();
}

const values = (findings, f) => [...new Set(findings.map(f).filter(v => v !== null && v !== undefined && v !== ''))].map(String);

function chooser(findings, name, label, f, word) {
  const options = values(findings, f);
  if (options.length < 2) return null;
  const select = el('select', {'aria-label': label, 'data-filter': name},
    el('option', {value: ''}, label), options.map(o => el('option', {value: o}, word ? word(o) : o)));
  select.addEventListener('change', () => { filters[name] = select.value; applyFilters(); });
  return select;
}

function severityButtons(findings) {
  return SEVERITIES.filter(s => findings.some(f => f.severity === s)).map(s => {
    const button = el('button', {type: 'button', class: 'pill ' + severityClass(s), 'data-severity': s, 'aria-pressed': 'false'},
      findings.filter(f => f.severity === s).length + ' ' + s);
    button.addEventListener('click', () => {
      filters.severity = filters.severity === s ? '' : s;
      applyFilters();
    });
    return button;
  });
}

function findingText(f) {
  return JSON.stringify([f.id, f.rule, f.title, f.severity, f.type, f.peer, f.site, f.handler, f.evidence,
    f.counter_evidence, f.flip, f.fix]).toLowerCase();
}

function findings(doc) {
  const all = list(doc.findings), names = new Map(list(part(doc.score).principles).map(p => [String(p.number), p.name]));
  if (all.length === 0) {
    return section('findings', t('Findings'), null, el('div', {class: 'card'}, el('p', {}, part(doc.run).fired > 0
      ? t('No rule failed.') : t('No fault fired, so no rule could fail. That is not a good sign: it is no sign.'))));
  }
  const cards = all.map((f, i) => ({f, text: findingText(f), card: findingCard(f, names, i === 0)}));
  const count = el('output', {class: 'quiet', 'aria-live': 'polite'});
  const search = el('input', {type: 'search', placeholder: t('Search in findings'), 'aria-label': t('Search in findings')});
  const bar = el('div', {class: 'filters'}, search, severityButtons(all),
    chooser(all, 'type', t('every type'), f => f.type),
    chooser(all, 'principle', t('every principle'), f => f.principle, n => n + ' ' + (names.get(n) || '')),
    chooser(all, 'peer', t('every peer'), f => f.peer),
    chooser(all, 'state', t('every state'), f => f.state, t),
    count, openAll(cards));
  const nothing = el('p', {class: 'quiet', hidden: true}, t('Nothing matches.'), ' ',
    el('button', {type: 'button', on: {click: () => showFindings({})}}, t('Show all')));

  applyFilters = () => {
    let shown = 0;
    for (const {f, text, card} of cards) {
      const fits = text.includes(filters.text) && ['severity', 'type', 'principle', 'peer', 'state'].every(key =>
        filters[key] === '' || String(f[key]) === filters[key]);
      card.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = t('{1} of {2}', shown, all.length);
    nothing.hidden = shown > 0;
    if (search.value.toLowerCase() !== filters.text) search.value = filters.text;
    for (const b of bar.querySelectorAll('[data-severity]')) {
      b.setAttribute('aria-pressed', String(b.getAttribute('data-severity') === filters.severity));
    }
    for (const s of bar.querySelectorAll('[data-filter]')) s.value = filters[s.getAttribute('data-filter')];
  };
  search.addEventListener('input', () => { filters.text = search.value.toLowerCase(); applyFilters(); });
  applyFilters();
  return section('findings', t('Findings'), null, bar, nothing, el('div', {class: 'finding-list'}, cards.map(c => c.card)));
}

function openAll(cards) {
  const button = el('button', {type: 'button', class: 'plain-button'}, t('Open all'));
  button.addEventListener('click', () => {
    const open = button.textContent === t('Open all');
    for (const {card} of cards) card.open = open;
    button.textContent = open ? t('Close all') : t('Open all');
  });
  return button;
}

function findingCard(f, names, open) {
  const site = part(f.site), trials = part(f.trials);
  const tags = [f.type, f.confidence && t('{1} confidence', t(f.confidence)), f.observed && t('observed, not injected'), f.state && t(f.state)];
  return el('details', {class: 'card finding ' + severityClass(f.severity), id: 'finding-' + f.id, open},
    el('summary', {},
      el('span', {class: 'badge ' + severityClass(f.severity)}, f.severity),
      el('span', {class: 'title'}, el('code', {class: 'rule'}, f.rule), ' ', f.title),
      el('span', {class: 'where'}, site.function ? qualified(site.function) : t('the application as a whole'),
        f.peer && [el('span', {class: 'arrow'}, ' → '), el('code', {}, f.peer)]),
      el('span', {class: 'trials', title: t('failed of fired')}, t('{1} of {2}', trials.failed, trials.fired)),
      el('span', {class: 'gain'}, f.points > 0.04 ? '+' + f.points.toFixed(1) : '')),
    el('div', {class: 'body'},
      el('p', {class: 'tags'}, tags.filter(Boolean).map(t => el('span', {class: 'tag'}, t)),
        el('span', {class: 'tag'}, t('principle {1}', f.principle) + ', ' + (names.get(String(f.principle)) || ''))),
      el('div', {class: 'columns'}, proof(f), stackList(f)), fixBlock(f),
      f.replay && [el('h4', {}, t('Replay')), snippet(String(f.replay), t('the replay command'))],
      el('p', {class: 'quiet small'}, tn('Finding {1} · {2} tells what the rule means and when it is wrong.', el('code', {}, f.id),
        el('code', {}, 'mishap explain ' + f.rule)))));
}

function proof(f) {
  const points = (title, items, kind) => items.length > 0 && [el('h4', {}, title),
    el('ul', {class: 'proof ' + kind}, items.map(text => el('li', {}, text)))];
  return el('div', {}, points(t('Evidence'), list(f.evidence), 'for'),
    points(t('Against it'), list(f.counter_evidence), 'against'),
    f.flip && [el('h4', {}, t('What would turn the verdict')), el('p', {class: 'flip'}, f.flip)]);
}

/* Frames of the application are what the reader can change: the others are dimmed. */
const isForeign = frame => /(^|\/)(site-packages|dist-packages|lib\/python[0-9.]+)\//.test(String(frame.file));
const sameFrame = (a, b) => part(a).function === part(b).function && part(a).file === part(b).file;
const place = frame => (frame.file ? frame.file + (isNumber(frame.line) ? ':' + frame.line : '') : '');

function stackList(f) {
  const site = part(f.site), stack = list(site.stack), handler = f.handler;
  if (stack.length === 0 && !handler) return null;
  const at = handler ? stack.findIndex(frame => sameFrame(frame, handler)) : -1;
  const line = (frame, i) => el('li', {class: [sameFrame(frame, site) ? 'site' : '', i === at ? 'handler' : '',
    isForeign(frame) ? 'foreign' : ''].join(' ')},
    el('span', {class: 'frame'}, frame.function, sameFrame(frame, site) && el('span', {class: 'flag'}, t('site')),
      i === at && el('span', {class: 'flag caught'}, t('caught here') + (handler.line !== frame.line && isNumber(handler.line) ? ', ' + t('line {1}', handler.line) : ''))),
    el('span', {class: 'place'}, place(frame)));
  return el('div', {}, el('h4', {}, t('Stack, innermost first')),
    el('ol', {class: 'frames'}, stack.map(line),
      handler && at < 0 && el('li', {class: 'handler'}, el('span', {class: 'frame'}, handler.function,
        el('span', {class: 'flag caught'}, t('caught here'))), el('span', {class: 'place'}, place(handler)))),
    !handler && el('p', {class: 'quiet small'}, t('Nobody was seen to catch it.')));
}

function fixBlock(f) {
  const fix = part(f.fix);
  if (!fix.text && !fix.code) return null;
  return el('div', {class: 'fix'}, el('h4', {}, t('Fix'), fix.library && el('span', {class: 'quiet'}, ' ' + t('with {1}', fix.library))),
    el('p', {}, fix.text), fix.code && snippet(String(fix.code), t('the code')),
    fix.docs && el('p', {class: 'quiet small'}, el('a', {href: String(fix.docs), rel: 'noreferrer'}, String(fix.docs))));
}
