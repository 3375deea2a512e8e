/* Masthead, the verdict and what holds it, the ten principles. */
function masthead(doc) {
  const run = part(doc.run), command = list(run.command).join(' ');
  const fact = (name, value) => value && el('div', {}, el('dt', {}, name), el('dd', {}, value));
  return [
    el('div', {class: 'brand'}, el('span', {class: 'mark', 'aria-hidden': 'true'}), 'mishap',
      el('span', {class: 'quiet'}, ' ' + t('report'))),
    themeButton(),
    el('h1', {}, el('code', {}, command || run.id || t('a run'))),
    el('dl', {class: 'facts'},
      fact(t('started'), run.started && String(run.started).replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')),
      fact(t('took'), seconds(run.duration_s)),
      fact(t('seed'), isNumber(run.seed) && String(run.seed)),
      fact(t('scenario'), list(run.scenario).length > 0
        ? el('span', {title: run.scenario.join('\n')}, run.scenario.map(s => String(s).split('/').pop()).join(', ')) : t('none: observed only')),
      fact('python', part(run.versions).python),
      fact(t('exit'), isNumber(run.exit) ? String(run.exit) : t('not known'))),
  ];
}

function themeButton() {
  const button = el('button', {type: 'button', class: 'theme', 'aria-label': t('Switch between light and dark')});
  const dark = () => getComputedStyle(document.documentElement).colorScheme === 'dark' ||
    (document.documentElement.style.colorScheme === '' && matchMedia('(prefers-color-scheme: dark)').matches);
  const say = () => { button.textContent = dark() ? t('Light') : t('Dark'); };
  button.addEventListener('click', () => {
    document.documentElement.style.colorScheme = dark() ? 'light' : 'dark';
    say();
  });
  say();
  return button;
}

function intervalBar(score) {
  const low = score.low || 0, high = isNumber(score.high) ? score.high : 100;
  const label = t('Score {1} of 100; the true score is between {2} and {3}', whole(score.points), whole(low), whole(high));
  return el('div', {class: 'interval', role: 'img', 'aria-label': label},
    el('div', {class: 'track'},
      el('div', {class: 'span', css: {left: low + '%', width: Math.max(high - low, 0.5) + '%'}}),
      [50, 65, 80, 90].map(at => el('div', {class: 'tick', css: {left: at + '%'}})),
      isNumber(score.points) && el('div', {class: 'needle', css: {left: score.points + '%'}})),
    el('div', {class: 'scale', 'aria-hidden': 'true'},
      [['F', 25], ['D', 57.5], ['C', 72.5], ['B', 85], ['A', 95]].map(([name, at]) =>
        el('span', {css: {left: at + '%'}}, name))));
}

function healthLine(run, cases) {
  const fired = cases.filter(c => c.fired > 0).length;
  const facts = plural(run.fired || 0, '{1} fault fired', '{1} faults fired') + ', ' +
    t(cases.length === 1 ? 'in {1} of {2} case.' : 'in {1} of {2} cases.', fired, cases.length);
  if (run.healthy === false) {
    return el('p', {class: 'notice bad'}, el('b', {}, t('The application was unhealthy with no fault active.'), ' '),
      t('Nothing in here is held against it: look at it without faults first.'));
  }
  return el('p', {class: 'quiet'}, t(run.healthy === true ? 'Healthy without faults.' : 'There was no fault-free time to compare with.'), ' ',
    facts, run.lost_events ? ' ' + plural(run.lost_events, '{1} event lost.', '{1} events lost.') : '');
}

function verdict(doc) {
  const score = part(doc.score), run = part(doc.run);
  const grade = String(score.grade || 'NG');
  return section('verdict', t('Verdict'), null, el('div', {class: 'card verdict'},
    el('div', {class: 'grade ' + gradeClass(grade), id: 'grade', 'aria-label': t('Grade {1}', grade)}, grade),
    el('div', {class: 'sum'},
      el('p', {class: 'points'}, el('b', {}, whole(score.points)), el('span', {}, ' ' + t('of 100'))),
      el('p', {class: 'evidence'}, grade === 'NG' && !list(score.caps).length ? t('There is not enough evidence for a grade. ') : '',
        tn('{1} of what applies here was judged, so the true score is between {2} and {3}.',
          el('b', {}, percent(score.evidence)), el('b', {}, whole(score.low)), el('b', {}, whole(score.high)))),
      intervalBar(score),
      list(score.caps).map(cap => el('p', {class: 'cap'},
        el('span', {class: 'chip ' + gradeClass(cap.grade)}, cap.grade === 'NG' ? t('no grade') : t('at most {1}', cap.grade)), ' ', cap.reason)),
      healthLine(run, list(doc.cases)))));
}

function outcomesPanel(doc) {
  const outcomes = part(doc.outcomes), score = part(doc.score);
  const rows = OUTCOMES.map(name => ({name, count: part(outcomes[name]).count || 0, example: part(outcomes[name]).example}));
  const total = rows.reduce((sum, row) => sum + row.count, 0);
  return el('div', {class: 'card'},
    el('h3', {}, plural(total, 'What became of {1} fault', 'What became of {1} faults')),
    total > 0 && el('div', {class: 'stack-bar', role: 'img', 'aria-label': rows.map(r => t(r.name) + ' ' + r.count).join(', ')},
      rows.filter(r => r.count).map(r => el('div', {class: outcomeClass(r.name), title: t(r.name) + ': ' + r.count,
        css: {'flex-grow': r.count}}))),
    el('ul', {class: 'outcomes'}, rows.map(r => el('li', {class: r.count ? '' : 'none'},
      el('span', {class: 'swatch ' + outcomeClass(r.name)}),
      el('span', {class: 'name'}, t(r.name)),
      el('span', {class: 'num'}, whole(r.count)),
      el('span', {class: 'example'}, r.example || (r.count ? '' : MEANING[r.name]))))),
    part(doc.run).fired > total && el('p', {class: 'quiet'}, plural(part(doc.run).fired - total,
      '{1} more fault fired where no outcome could be told.', '{1} more faults fired where no outcome could be told.')),
    isNumber(score.survival_index) && el('p', {class: 'quiet'}, tn(
      'Survival index {1}: the mean worth of these outcomes, 1 being unharmed.', el('b', {}, score.survival_index.toFixed(2)))));
}

function gainsPanel(doc) {
  const gains = list(doc.findings).filter(f => f.points > 0.04).slice(0, 6);
  const most = Math.max(...gains.map(f => f.points), 1);
  return el('div', {class: 'card'},
    el('h3', {}, t('Points to win')),
    gains.length === 0 && el('p', {class: 'quiet'}, t('No open finding costs points.')),
    el('ol', {class: 'gains'}, gains.map(f => el('li', {},
      el('a', {href: '#finding-' + f.id}, el('span', {class: 'dot ' + severityClass(f.severity)}),
        el('code', {}, f.rule), ' ', f.title, part(f.site).function && [' ', el('span', {class: 'at'}, lastName(part(f.site).function))]),
      el('span', {class: 'gain'}, '+' + f.points.toFixed(1)),
      el('span', {class: 'gain-bar', css: {'--share': (100 * f.points / most) + '%'}})))));
}

function meter(kind, value, text) {
  const known = isNumber(value);
  return el('span', {class: 'meter ' + kind + (known ? '' : ' unknown')},
    el('span', {class: 'bar'}, known && el('span', {class: 'fill', css: {width: Math.max(0, Math.min(100, value)) + '%'}})),
    el('span', {class: 'value'}, text));
}

function principles(doc) {
  const rows = list(part(doc.score).principles);
  const open = p => SEVERITIES.filter(s => part(p.open)[s] > 0).map(s =>
    el('button', {type: 'button', class: 'pill ' + severityClass(s), title: t('Show these findings'),
      on: {click: () => showFindings({principle: String(p.number), severity: s})}}, p.open[s] + ' ' + s));
  const row = p => {
    const applies = p.applicable > 0, known = applies && isNumber(p.score);
    return el('li', {class: 'principle' + (applies ? '' : ' off')},
      el('span', {class: 'n'}, p.number),
      el('span', {class: 'name'}, p.name),
      applies ? meter('score' + (known ? ' m-' + (p.score >= 80 ? 'good' : p.score >= 50 ? 'fair' : 'poor') : ''),
        known ? p.score : null, known ? whole(p.score) : t('unknown')) : el('span', {class: 'meter na'}, t('does not apply here')),
      applies ? meter('evid', 100 * (p.evidence || 0), percent(p.evidence || 0)) : el('span', {}),
      el('span', {class: 'open'}, open(p), applies && open(p).length === 0 &&
        el('span', {class: 'quiet'}, t('{1} of {2} rules judged', p.judged, p.applicable))));
  };
  return section('principles', [t('Ten principles'), t('Principles')],
    t('A score says how well; the evidence beside it, how much of the principle was put to the test. Hatched is unknown, not bad.'),
    el('div', {class: 'card'}, el('div', {class: 'principle head', 'aria-hidden': 'true'}, el('span', {}), el('span', {}),
      el('span', {}, t('score')), el('span', {}, t('evidence')), el('span', {}, t('open'))),
    el('ol', {class: 'principles'}, rows.map(row))));
}
