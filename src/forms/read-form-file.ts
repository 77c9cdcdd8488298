import type { Json } from '../events/canonical-json.ts';
import { whyTextUnstorable } from '../storable.ts';
import { choiceMembers, fileMembers, questionMembers, sectionMembers, type Member } from './definition-members.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { fileFormat } from './write-form-file.ts';

/** Values of all members by their names, of the right types, where absent ones mean something. */
export type FileValues = Record<string, Json>;

export interface FileQuestion {
  values: FileValues;
  choices: FileValues[];
  path: Path;
  /** The index of its section. */
  section: number | undefined;
}

/** What a file says, with every member where it belongs and of the right type; whether it makes sense is not looked at. */
export interface FormFile {
  /** Undefined where something that is required is missing. */
  form: FileValues | undefined;
  sections: { values: FileValues; path: Path }[];
  questions: FileQuestion[];
}

interface Place {
  path: Path;
  faults: InputFaults;
}

const nothing: FormFile = { form: undefined, sections: [], questions: [] };

/** Takes a file apart. What is wrong goes into `faults`, and is left out. */
export function readFormFile(file: Json, faults: InputFaults): FormFile {
  if (!isObject(file)) {
    faults.add([], `This must be an object: { "formwire": ${fileFormat}, "title": …, "questions": […] }${typeof file === 'string' ? ', not a text that holds one' : ''}.`);
    return nothing;
  }
  if (file['formwire'] !== fileFormat) {
    faults.add(['formwire'], `"formwire" tells the format, and this is ${said(file['formwire'])}; only format ${fileFormat} is known here.`);
    return nothing;
  }
  const form = readMembers(fileMembers, file, { path: [], faults, others: ['formwire', 'questions'] });
  return { form, ...readEntries(file['questions'], { path: ['questions'], faults }) };
}

function readEntries(list: Json | undefined, { path, faults }: Place): Omit<FormFile, 'form'> {
  const sections: FormFile['sections'] = [];
  const questions: FileQuestion[] = [];
  const readQuestion = (value: Json, place: Place & { section?: number }): void => {
    const question = readFileQuestion(value, place);
    if (question) questions.push({ ...question, section: place.section });
  };
  const items = itemsOf(list, { path, faults });
  const count = items.reduce<number>((sum, item) => sum + (isSection(item) ? lengthOf(item['questions']) : 1), 0);
  if (count > formLimits.questions) {
    faults.add(path, `A form has at most ${formLimits.questions} questions; these are ${count}.`);
    return { sections, questions };
  }
  for (const [index, value] of items.entries()) {
    const at = [...path, index];
    if (!isSection(value)) {
      readQuestion(value, { path: at, faults });
      continue;
    }
    const values = readMembers(sectionMembers, value, { path: at, faults, others: ['questions'] });
    const section = sections.length;
    if (values) sections.push({ values, path: at });
    for (const [place, item] of itemsOf(value['questions'], { path: [...at, 'questions'], faults }).entries()) {
      readQuestion(item, { path: [...at, 'questions', place], faults, section });
    }
  }
  return { sections, questions };
}

function readFileQuestion(value: Json, { path, faults }: Place): Omit<FileQuestion, 'section'> | undefined {
  const values = readMembers(questionMembers, value, { path, faults, others: ['choices'] });
  const list = isObject(value) ? value['choices'] : undefined;
  const choices = list === undefined ? [] : itemsOf(list, { path: [...path, 'choices'], faults });
  const read = choices.map((choice, index) => readMembers(choiceMembers, choice, { path: [...path, 'choices', index], faults, others: [] }));
  return values && { values, choices: read.filter((one) => one !== undefined), path };
}

/** The values of an object's members; undefined where one that is required is not there. `others`: read elsewhere. */
function readMembers(members: Record<string, Member>, value: Json, { path, faults, others }: Place & { others: readonly string[] }): FileValues | undefined {
  if (!isObject(value)) {
    faults.add(path, 'This must be an object.');
    return undefined;
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(members, name) && !others.includes(name)) addUnknown(name, { path, faults });
  }
  const entries = Object.entries(members).map(([name, member]) => [name, readMember(member, value[name], { path: [...path, name], faults })] as const);
  return entries.some(([, read]) => read === undefined) ? undefined : Object.fromEntries(entries.map(([name, read]) => [name, read ?? null]));
}

function readMember({ is, fits, isRequired, absent }: Member, value: Json | undefined, { path, faults }: Place): Json | undefined {
  if (value === undefined || value === null) {
    if (!isRequired) return absent;
    faults.add(path, `This is missing; it must be ${is}.`);
    return undefined;
  }
  if (fits(value)) return value;
  faults.add(path, `This must be ${is}; it is ${said(value)}.`);
  return isRequired ? undefined : absent;
}

function addUnknown(name: string, { path, faults }: Place): void {
  const reason = whyTextUnstorable(name);
  if (reason !== undefined) faults.add(path, `The name of a member ${reason}.`);
  else faults.add([...path, shortened(name)], `${JSON.stringify(shortened(name))} is no member that is known here.`);
}

function itemsOf(list: Json | undefined, { path, faults }: Place): readonly Json[] {
  if (isList(list)) return list;
  faults.add(path, list === undefined ? 'This is missing; it must be a list.' : `This must be a list; it is ${said(list)}.`);
  return [];
}

const lengthOf = (value: Json | undefined): number => (isList(value) ? value.length : 0);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json): value is { readonly [key: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value);
const isSection = (value: Json): value is { readonly [key: string]: Json } => isObject(value) && Object.hasOwn(value, 'questions');
const shortened = (text: string): string => (text.length > 100 ? `${text.slice(0, 100).toWellFormed()}…` : text);

/** A value for a message: short ones themselves, others by what they are. */
function said(value: Json | undefined): string {
  if (value === undefined || value === null) return 'not there';
  if (isList(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : shortened(JSON.stringify(value).toWellFormed());
}
