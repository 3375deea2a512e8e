/* Against an earlier run, and findings that are waived; nothing where there is neither. */
function pastList(title, why, rows) {
  if (rows.length === 0) return null;
  return el('div', {}, el('h3', {}, title + ' (' + rows.length + ')'), el('p', {class: 'quiet'}, why),
    el('ul', {class: 'verdicts'}, rows.map(r => el('li', {},
      el('p', {}, el('span', {class: 'tag'}, r.severity), ' ', el('code', {class: 'rule'}, r.rule), ' ', el('b', {}, r.title),
        r.function && [' · ', qualified(r.function)], r.peer && [' → ', el('code', {}, r.peer)]),
      r.reason && el('p', {class: 'quiet'}, r.reason)))));
}

function comparison(doc) {
  const c = doc.comparison, waived = list(doc.findings).filter(f => f.waiver);
  if (!c && waived.length === 0) return null;
  const then = part(part(c).baseline), now = part(doc.score);
  const step = (a, b, unit) => (isNumber(a) ? whole(a) : '?') + ' → ' + (isNumber(b) ? whole(b) : '?') + unit;
  return section('comparison', [t('Against the baseline'), t('Baseline')], c ? t('Compared with {1}.', then.id || t('an earlier run')) : null,
    c && el('div', {class: 'card'},
      el('p', {}, el('b', {}, t('{1} new, {2} worse, {3} fixed, {4} unchanged, {5} not re-tested', c.new, c.worse,
        list(c.fixed).length, c.unchanged, list(c.not_retested).length)), '. ', t('Grade {1}, points {2}, evidence {3}.',
        (then.grade || '?') + ' → ' + (now.grade || '?'), step(then.points, now.points, ''),
        step(100 * then.evidence, 100 * now.evidence, ' %'))),
      list(c.lost_faults).length > 0 && el('p', {class: 'notice bad'}, el('b', {}, t('Fired then and not now: ')), c.lost_faults.join(', '),
        t('. What these would have shown is not known any more.')),
      pastList('Fixed', t('The same case was judged again, and passed.'), list(c.fixed)),
      pastList('Not re-tested', t('Open before, and not judged this time: nobody knows whether it is fixed.'), list(c.not_retested))),
    waived.length > 0 && el('div', {class: 'card'}, el('h3', {}, t('Waived') + ' (' + waived.length + ')'),
      el('ul', {class: 'verdicts'}, waived.map(f => el('li', {},
        el('p', {}, el('code', {class: 'rule'}, f.rule), ' ', el('b', {}, f.title), ' · ', t('{1}, until {2}', f.waiver.owner, f.waiver.expires),
          f.waiver.expired && el('span', {class: 'tag'}, t('expired'))),
        el('p', {class: 'quiet'}, f.waiver.reason))))));
}
