import { rules } from '../../integrations/rules/rules.ts';
import { rulesSettings } from '../../integrations/rules/settings.ts';
import { describeChecking } from './contract.ts';

describeChecking({
  provider: rules,
  settings: rulesSettings.parse({
    rules: [
      { name: 'affordable', expression: 'spent <= income', message: '{{ name }} has spent {{ spent }} of {{ income }}.' },
      { name: 'known', expression: "!name.matches('(a+)+$') && size(name) < 40 && city in ['Pune', 'Delhi']", message: '{{ name }} is not known.', severity: 'refuse' },
    ],
  }),
});
