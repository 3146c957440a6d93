"""Resumes of our own writing: more layouts and languages, and what each says."""

from tests.models.resume_case import Case

TABLE_ROWS = Case(
    text="""\
ROBERT MÜLLER
Robert.Mueller@example.de  |  0171 2345678  |  Berlin, Germany

PROFESSIONAL EXPERIENCE
Siemens AG                                                             Berlin, Germany
Senior Software Engineer                                       01/2020 – present
•	Designed the new edge platform, which
reduced latency by 40 percent for all customers in the European region and beyond
•	Mentored juniors
Software Engineer                                              06/2016 – 12/2019
•	Wrote firmware
Bosch GmbH                                                             Stuttgart, Germany
Working Student                                                10/2014 – 05/2016
•	Tested things

EDUCATION
Technische Universität Berlin                                         Berlin, Germany
M.Sc. Computer Science (Grade: 1.3)                             10/2013 – 05/2016
B.Sc. Computer Science                                           10/2010 – 09/2013

TECHNICAL SKILLS
Languages: C++, Rust, Python
Tools: Docker, Jenkins
""",
    name="ROBERT MÜLLER",
    emails=["Robert.Mueller@example.de"],
    phones=["+491712345678"],
    location="Berlin, Germany",
    links=[],
    experience=[
        ("Senior Software Engineer", "Siemens AG", "2020-01", "present", 54, 2),
        ("Software Engineer", "Siemens AG", "2016-06", "2019-12", 43, 1),
        ("Working Student", "Bosch GmbH", "2014-10", "2016-05", 20, 1),
    ],
    education=[
        ("M.Sc.", "Computer Science", "Technische Universität Berlin", "2013-10", "2016-05", "1.3"),
        ("B.Sc.", "Computer Science", "Technische Universität Berlin", "2010-10", "2013-09", None),
    ],
    skills=["C++", "Rust", "Python", "Docker", "Jenkins"],
    languages=[],
    certifications=[],
    years=9.8,
)

COMMAS = Case(
    text="""\
Emily Watson
Marketing Manager

e: emily.watson@example.co.uk | m: 07700 900123 | Manchester, United Kingdom

KEY SKILLS
• SEO and SEM • Content strategy • Google Analytics

CAREER HISTORY

Marketing Manager, Brightside Media, Manchester (September 2019 – Present)

Achievements:
• Grew organic traffic by 120%

Marketing Executive, The Co-operative Group, Manchester (July 2016 – August 2019)
• Managed email campaigns to 2m subscribers

EDUCATION & QUALIFICATIONS
University of Manchester, BA (Hons) English Literature, 2:1, 2013 – 2016
""",
    name="Emily Watson",
    emails=["emily.watson@example.co.uk"],
    phones=["+447700900123"],
    location="Manchester, United Kingdom",
    links=[],
    experience=[
        ("Marketing Manager", "Brightside Media", "2019-09", "present", 58, 1),
        ("Marketing Executive", "The Co-operative Group", "2016-07", "2019-08", 38, 1),
    ],
    education=[("BA", "English Literature", "University of Manchester", "2013", "2016", "2:1")],
    skills=["SEO and SEM", "Content strategy", "Google Analytics"],
    languages=[],
    certifications=[],
    years=8.0,
)

YEARS_ABOVE = Case(
    text="""\
Ahmed Al-Rashid
Dubai, UAE
ahmed.alrashid@example.ae
+971 50 123 4567

OBJECTIVE
Seeking a position as a civil engineer.

WORK HISTORY
2018 to present
Senior Civil Engineer
Emaar Properties, Dubai
Responsible for site supervision.
2014 to 2018
Civil Engineer
Al Futtaim Carillion, Dubai
Prepared drawings.

EDUCATION
2010-2014
Bachelor of Engineering (Civil)
American University of Sharjah
""",
    name="Ahmed Al-Rashid",
    emails=["ahmed.alrashid@example.ae"],
    phones=["+971501234567"],
    location="Dubai, UAE",
    links=[],
    experience=[
        ("Senior Civil Engineer", "Emaar Properties", "2018", "present", 78, 1),
        ("Civil Engineer", "Al Futtaim Carillion", "2014", "2018", 48, 1),
    ],
    education=[
        ("Bachelor of Engineering", "Civil", "American University of Sharjah", "2010", "2014", None)
    ],
    skills=[],
    languages=[],
    certifications=[],
    years=10.5,
)

SPANISH = Case(
    text="""\
Name: Carlos Pérez Ruiz
Dirección: Calle Mayor 5, 28013 Madrid, España
Teléfono: 915 123 456
Email: carlos.perez@example.es

EXPERIENCIA LABORAL
Enero 2019 - Actualidad: Desarrollador Web en Soluciones Digitales S.L.
- Desarrollo de aplicaciones
Marzo 2016 - Diciembre 2018: Programador Junior, Iberia Sistemas, S.A.
- Mantenimiento

FORMACIÓN ACADÉMICA
Grado en Ingeniería Informática, Universidad Complutense de Madrid, 2012 - 2016

IDIOMAS
Español: nativo
Inglés: B2
""",
    name="Carlos Pérez Ruiz",
    emails=["carlos.perez@example.es"],
    phones=["+34915123456"],
    location="28013 Madrid, España",
    links=[],
    experience=[
        ("Desarrollador Web", "Soluciones Digitales S.L.", "2019-01", "present", 66, 1),
        ("Programador Junior", "Iberia Sistemas, S.A.", "2016-03", "2018-12", 34, 1),
    ],
    education=[
        (
            "Grado",
            "Ingeniería Informática",
            "Universidad Complutense de Madrid",
            "2012",
            "2016",
            None,
        )
    ],
    skills=[],
    languages=[("Español", "nativo"), ("Inglés", "B2")],
    certifications=[],
    years=8.3,
)

PIPES_WITH_CITIES = Case(
    text="""\
Wei Zhang
Shanghai, China | wei.zhang@example.cn | github.com/weizhang

Experience
ByteDance | Machine Learning Engineer | Shanghai | Jul. 2021 – Now
  - Ranking models
Tencent | Data Scientist Intern | Shenzhen | May 2020 – Aug 2020
  - A/B tests

Projects
Chess Engine | 2019
  - Alpha beta search

Education
Fudan University | M.S. in Computer Science | Sep. 2018 – Jun. 2021 | GPA: 3.8/4.0
Zhejiang University | B.S. in Mathematics | Sep. 2014 – Jun. 2018

Skills
Programming: Python, C++, CUDA
Languages: Mandarin (native), English (fluent)
""",
    name="Wei Zhang",
    emails=["wei.zhang@example.cn"],
    phones=[],
    location="Shanghai, China",
    links=["https://github.com/weizhang"],
    experience=[
        ("Machine Learning Engineer", "ByteDance", "2021-07", "present", 36, 1),
        ("Data Scientist Intern", "Tencent", "2020-05", "2020-08", 4, 1),
    ],
    education=[
        ("M.S.", "Computer Science", "Fudan University", "2018-09", "2021-06", "3.8/4.0"),
        ("B.S.", "Mathematics", "Zhejiang University", "2014-09", "2018-06", None),
    ],
    skills=["Python", "C++", "CUDA"],
    languages=[("Mandarin", "native"), ("English", "fluent")],
    certifications=[],
    years=3.3,
)

CAPITALS = Case(
    text="""\
TOM BAKER
Head Chef
tom.baker@example.com
Tel 01632 960 983
Brighton, England

Profile
A chef.

Employment
THE GOLDEN FORK, BRIGHTON
Head Chef
May '17 – present
- Runs the kitchen
LA MAISON, LONDON
Sous Chef
Feb '13 – Apr '17
- Sauces

Training
Level 3 Diploma in Professional Cookery, City College Brighton, 2012
Food Hygiene Certificate, 2011

References
Available on request
""",
    name="TOM BAKER",
    emails=["tom.baker@example.com"],
    phones=["+441632960983"],
    location="Brighton, England",
    links=[],
    experience=[
        ("Head Chef", "THE GOLDEN FORK", "2017-05", "present", 86, 1),
        ("Sous Chef", "LA MAISON", "2013-02", "2017-04", 51, 1),
    ],
    education=[],
    skills=[],
    languages=[],
    certifications=[
        ("Level 3 Diploma in Professional Cookery, City College Brighton", "2012"),
        ("Food Hygiene Certificate", "2011"),
    ],
    years=11.4,
)

SPACED_OUT = Case(
    text="""\
Olivia Brown
olivia.brown@example.com

Summary
Teacher.

Experience

Teacher
Lincoln High School — Chicago, IL
Aug 2015 — Jun 2022

Taught mathematics to grades 9 to 12.

Substitute Teacher
Chicago Public Schools — Chicago, IL
Sep 2013 — Jun 2015

Covered classes across the district.

Education

Master of Education, Secondary Education
DePaul University — Chicago, IL
2013 — 2015

Bachelor of Science in Mathematics
University of Illinois Urbana-Champaign
2009 — 2013

Certifications
Illinois Professional Educator License (2015)
""",
    name="Olivia Brown",
    emails=["olivia.brown@example.com"],
    phones=[],
    location=None,
    links=[],
    experience=[
        ("Teacher", "Lincoln High School", "2015-08", "2022-06", 83, 1),
        ("Substitute Teacher", "Chicago Public Schools", "2013-09", "2015-06", 22, 1),
    ],
    education=[
        ("Master of Education", "Secondary Education", "DePaul University", "2013", "2015", None),
        (
            "Bachelor of Science",
            "Mathematics",
            "University of Illinois Urbana-Champaign",
            "2009",
            "2013",
            None,
        ),
    ],
    skills=[],
    languages=[],
    certifications=[("Illinois Professional Educator License", "2015")],
    years=8.8,
)
