/* The points of the last runs, each with the range in which its true score lay. */
function trend(doc) {
  const runs = list(part(doc.trend).runs).filter(r => r && typeof r === 'object');
  if (runs.length === 0) return null;
  /* Points on too little evidence for a grade say nothing. */
  const graded = r => isNumber(r.points) && r.grade !== 'NG';
  const known = runs.filter(graded), now = runs[runs.length - 1];
  const best = Math.max(...known.map(r => r.points));
  const day = r => String(r.started).slice(0, 10);
  const words = r => day(r) + ': ' + (graded(r) ? t('{1} points, grade {2}', whole(r.points), r.grade) : t('no grade')) + ', ' +
    t('evidence {1}', percent(r.evidence));
  const bar = r => el('li', {class: gradeClass(r.grade) + (r === now ? ' now' : ''), title: words(r)},
    el('span', {class: 'value'}, graded(r) ? whole(r.points) : '?'),
    el('span', {class: 'room'},
      isNumber(r.low) && isNumber(r.high) && el('span', {class: 'range',
        css: {bottom: r.low + '%', height: Math.max(r.high - r.low, 0.5) + '%'}}),
      graded(r) && el('span', {class: 'bar', css: {height: r.points + '%'}})),
    el('span', {class: 'sr'}, words(r)),
    el('span', {class: 'day', 'aria-hidden': 'true'}, day(r).slice(5)));
  return section('trend', t('Trend'), plural(runs.length, 'The last run.', 'The last {1} runs, oldest first.') + ' ' +
    (known.length > 0 ? t('The best had {1} points.', whole(best)) + ' ' : '') +
    t('A pale range says between which scores the truth lay: where it is long, little was judged.'),
    el('div', {class: 'card'}, el('ol', {class: 'trend'}, runs.map(bar))));
}
