import { sms } from '../../integrations/sms/sms.ts';
import { smsSettings } from '../../integrations/sms/settings.ts';
import { describeProvider } from './contract.ts';
import { startTwilioService } from './services/twilio-service.ts';

describeProvider({
  provider: sms,
  start: (clock) =>
    startTwilioService(clock, ({ sid, authToken }) =>
      smsSettings.parse({ accountSid: sid, authToken, from: '+15005550006', template: 'Thank you, {{ respondent.name }}! {{ response.id }}' }),
    ),
});
